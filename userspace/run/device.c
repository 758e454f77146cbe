// SPDX-License-Identifier: GPL-2.0
/*
 * Opening the device, loading its module if need be; and saying what is in the
 * way when it does not work. Nothing here is difficult, but this is what a
 * person sees who tries minivmm for the first time.
 */
#include <errno.h>
#include <fcntl.h>
#include <libkmod.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "machine.h"

#define MODULE		"minivmm"
#define KVM_DEVICE	"/dev/kvm"

/* Is a line of this /proc file about @word? Flags stand between blanks. */
static bool proc_has(const char *path, const char *word)
{
	char line[8192], *token;
	bool found = false;
	FILE *file;

	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		for (token = strtok(line, " \t\n"); token; token = strtok(NULL, " \t\n"))
			found = found || !strcmp(token, word);
	}
	fclose(file);
	return found;
}

static const char *processor_hint(void)
{
	if (proc_has("/proc/cpuinfo", "vmx"))
		return "";
	return "\nThis processor shows no VT-x (flag vmx in /proc/cpuinfo). If it has it, the\n"
	       "firmware's setup has a switch for it; \"make demo\" needs none.";
}

static void no_log(void *data, int priority, const char *file, int line,
		   const char *function, const char *format, va_list args)
{
	(void)data;
	(void)priority;
	(void)file;
	(void)line;
	(void)function;
	(void)format;
	(void)args;
}

/* Like modprobe. Returns 0, a negative errno, -ENOENT if it is not installed. */
static int load_module(void)
{
	struct kmod_list *list = NULL, *item;
	struct kmod_ctx *context;
	int err;

	context = kmod_new(NULL, NULL);
	if (!context)
		return -ENOMEM;
	kmod_set_log_fn(context, no_log, NULL);

	/* The name leads to nothing, or there is no index of modules at all. */
	err = -ENOENT;
	if (kmod_module_new_from_lookup(context, MODULE, &list) || !list)
		goto out;

	kmod_list_foreach(item, list) {
		struct kmod_module *module = kmod_module_get_module(item);

		err = kmod_module_probe_insert_module(module, KMOD_PROBE_APPLY_BLACKLIST,
						      NULL, NULL, NULL, NULL);
		kmod_module_unref(module);
		if (err)
			break;
	}
	if (err > 0)	/* blacklisted */
		err = -ECANCELED;
out:
	kmod_module_unref_list(list);
	kmod_unref(context);
	return err;
}

static int load_failed(int err, const char *path, struct failure *failure)
{
	struct utsname kernel;

	switch (-err) {
	case ENOENT:
		uname(&kernel);
		return failed(failure, STATUS_NO_DEVICE,
			      "%s is not there, and module " MODULE " is not installed for %s.\n"
			      "Build and install it (make, sudo make install), or try all of it in an\n"
			      "emulated machine (make demo).", path, kernel.release);
	case EPERM:
	case EACCES:
		return failed(failure, STATUS_NO_DEVICE,
			      "%s is not there, and only root may load its module:\n"
			      "sudo modprobe " MODULE, path);
	case ECANCELED:
		return failed(failure, STATUS_NO_DEVICE,
			      "%s is not there, and modprobe.d(5) has its module blacklisted.\n"
			      "By hand it still loads: sudo modprobe " MODULE, path);
	default:
		return failed(failure, STATUS_NO_DEVICE,
			      "%s is not there, and the module does not load: %s.\n"
			      "The kernel's log says why: sudo dmesg | grep " MODULE "%s",
			      path, strerror(-err), processor_hint());
	}
}

static int open_failed(const char *path, struct failure *failure)
{
	int err = errno;

	switch (err) {
	case EACCES:
	case EPERM:
		return failed(failure, STATUS_PERMISSION,
			      "%s: no permission.\n"
			      "Join its group (sudo usermod -aG kvm $USER, then log in again), or be root.",
			      path);
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return failed(failure, STATUS_NO_DEVICE, "%s is not there%s%s", path,
			      strcmp(path, KVM_DEVICE) ? "." :
			      " (sudo modprobe kvm_intel).", processor_hint());
	default:
		return failed(failure, STATUS_NO_DEVICE, "%s: %s", path, strerror(err));
	}
}

/**
 * device_open() - open the device and see that it speaks KVM's language
 * @path: of the device; if it is minivmm's own and missing, its module is loaded
 * @device: the descriptor
 * @failure: what is in the way
 *
 * Return: STATUS_OK, STATUS_NO_DEVICE or STATUS_PERMISSION.
 */
int device_open(const char *path, int *device, struct failure *failure)
{
	int err, version;

	*device = open(path, O_RDWR | O_CLOEXEC);
	if (*device < 0 && errno == ENOENT && !strcmp(path, DEFAULT_DEVICE)) {
		err = load_module();
		if (err)
			return load_failed(err, path, failure);
		*device = open(path, O_RDWR | O_CLOEXEC);
	}
	if (*device < 0)
		return open_failed(path, failure);

	version = ioctl(*device, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION)
		return failed(failure, STATUS_NO_DEVICE,
			      "%s: not a device that makes virtual machines: its API version is not %d",
			      path, KVM_API_VERSION);
	return STATUS_OK;
}

static const char *busy_hint(const char *path)
{
	const char *other = strcmp(path, KVM_DEVICE) ? "kvm_intel" : MODULE;
	static char text[160];

	if (!proc_has("/proc/modules", other))
		return "Another hypervisor has it; the kernel's log may know which (sudo dmesg).";
	snprintf(text, sizeof(text),
		 "Module %s is loaded: end the guests that it runs, or: sudo modprobe -r %s",
		 other, other);
	return text;
}

/**
 * device_create_vm() - make a virtual machine
 * @path: of the device, for messages
 * @device: its descriptor
 * @vm: descriptor of the virtual machine
 * @failure: what is in the way
 *
 * Return: STATUS_OK, STATUS_BUSY if somebody else holds VT-x, or STATUS_SYSTEM.
 */
int device_create_vm(const char *path, int device, int *vm, struct failure *failure)
{
	do {
		*vm = ioctl(device, KVM_CREATE_VM, 0);
	} while (*vm < 0 && errno == EINTR);

	if (*vm >= 0)
		return STATUS_OK;
	/* From Linux 6.12 on KVM says EIO when it cannot have a CPU's VT-x. */
	if (errno == EBUSY ||
	    (errno == EIO && !strcmp(path, KVM_DEVICE) && proc_has("/proc/modules", MODULE)))
		return failed(failure, STATUS_BUSY, "%s: VT-x is in use on this machine.\n%s",
			      path, busy_hint(path));
	return failed(failure, STATUS_SYSTEM,
		      "%s: no virtual machine: %s.\nThe kernel's log may say why: sudo dmesg",
		      path, strerror(errno));
}
