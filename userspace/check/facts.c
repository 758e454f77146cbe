// SPDX-License-Identifier: GPL-2.0
/*
 * The facts: CPUID, MSRs, and what the kernel tells in /proc and /sys.
 */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <linux/kernel.h>
#include "check.h"

#define SECURE_BOOT \
	"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

/* Lines of a file, one a call; false at its end */
static bool next_line(FILE *file, char *line, size_t size)
{
	return file && fgets(line, size, file);
}

static bool file_says(const char *path, char letter)
{
	FILE *file = fopen(path, "r");
	bool yes = file && fgetc(file) == letter;

	if (file)
		fclose(file);
	return yes;
}

/* CPUID's registers EBX, ECX, EDX, or EBX, EDX, ECX, are text. */
static void add_text(char *text, __u32 a, __u32 b, __u32 c)
{
	memcpy(text, &a, 4);
	memcpy(text + 4, &b, 4);
	memcpy(text + 8, &c, 4);
	text[12] = '\0';
}

static void find_processor(struct facts *f)
{
	__u32 a, b, c, d, leaf, *words = (__u32 *)f->brand;
	char vendor[13];
	size_t skip;

	__cpuid(0, a, b, c, d);
	add_text(vendor, b, d, c);
	f->intel = !strcmp(vendor, "GenuineIntel") || !strcmp(vendor, "CentaurHauls") ||
		   !strcmp(vendor, "  Shanghai  ");
	__cpuid(1, a, b, c, d);
	f->vmx = c & BIT(5);
	if (c & BIT(31)) {
		__cpuid(0x40000000, a, b, c, d);
		add_text(f->hypervisor, b, c, d);
		if (!f->hypervisor[0])
			strcpy(f->hypervisor, "without name");
	}
	__cpuid(0x80000000, a, b, c, d);
	if (a < 0x80000004) {
		strcpy(f->brand, vendor);
		return;
	}
	for (leaf = 0; leaf < 3; leaf++, words += 4)
		__cpuid(0x80000002 + leaf, words[0], words[1], words[2], words[3]);
	f->brand[48] = '\0';
	skip = strspn(f->brand, " ");
	memmove(f->brand, f->brand + skip, strlen(f->brand + skip) + 1);
}

/* The flags that Linux shows: it takes away what it does not use. */
static void find_flags(struct facts *f)
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	char line[8192];

	while (next_line(file, line, sizeof(line))) {
		if (strncmp(line, "flags", 5))
			continue;
		f->vmx_flag = strstr(line, " vmx ") || strstr(line, " vmx\n");
		f->fred = strstr(line, " fred ") || strstr(line, " fred\n");
		break;
	}
	if (file)
		fclose(file);
}

/* VirtualBox and VMware take VT-x in modules of their own. */
static void find_modules(struct facts *f)
{
	static const char *const others[] = { "vboxdrv", "vmmon" };
	FILE *file = fopen("/proc/modules", "r");
	char line[512], name[64];
	unsigned int i;
	int users;

	while (next_line(file, line, sizeof(line))) {
		if (sscanf(line, "%63s %*u %d", name, &users) != 2)
			continue;
		if (!strcmp(name, "minivmm"))
			f->loaded = true;
		if (!strcmp(name, "kvm_intel")) {
			f->kvm_loaded = true;
			f->kvm_users = users;
		}
		for (i = 0; i < ARRAY_SIZE(others); i++)
			if (!strcmp(name, others[i]))
				strcpy(f->other, name);
	}
	if (file)
		fclose(file);
	f->kvm_keeps = file_says("/sys/module/kvm/parameters/enable_virt_at_load", 'Y');
}

/* A line "CONFIG_KVM_INTEL=", if the kernel's configuration can be read */
static enum known find_config(const char *release)
{
	enum known there = UNKNOWN;
	char path[160], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/boot/config-%s", release);
	file = fopen(path, "r");
	if (file)
		there = NO;
	while (there == NO && next_line(file, line, sizeof(line)))
		if (!strncmp(line, "CONFIG_KVM_INTEL=", 17))
			there = YES;
	if (file)
		fclose(file);
	return there;
}

/*
 * Newer kernels export what a hypervisor needs to KVM's modules alone; Kbuild
 * finds that out in the same way.
 */
static enum known find_exports(const char *release)
{
	char path[160], line[512], type[64];
	enum known lends = UNKNOWN;
	FILE *file;

	snprintf(path, sizeof(path), "/lib/modules/%s/build/Module.symvers", release);
	file = fopen(path, "r");
	if (file)
		lends = NO;
	while (lends == NO && next_line(file, line, sizeof(line))) {
		char space[128] = "";

		if (sscanf(line, "%*s cr4_update_irqsoff vmlinux %63s %127s", type, space) >= 1 &&
		    !space[0])
			lends = YES;
	}
	if (file)
		fclose(file);
	return lends;
}

static void find_kernel(struct facts *f)
{
	struct utsname kernel;
	char path[160];

	uname(&kernel);
	snprintf(f->release, sizeof(f->release), "%s", kernel.release);
	f->has_kvm_intel = find_config(f->release);
	/* One that is loaded found out by itself. */
	f->lends_vtx = f->loaded ? YES : find_exports(f->release);
	snprintf(path, sizeof(path), "/lib/modules/%s/build/Makefile", f->release);
	f->headers = !access(path, R_OK);
	snprintf(path, sizeof(path), "/lib/modules/%s/extra/minivmm.ko", f->release);
	f->installed = !access(path, F_OK);
}

static void find_signatures(struct facts *f)
{
	char lockdown[128] = "";
	__u8 variable[5];
	FILE *file;

	f->secure_boot = NO;
	if (!access("/sys/firmware/efi", F_OK)) {
		/* Four bytes of attributes, and the value */
		file = fopen(SECURE_BOOT, "r");
		f->secure_boot = UNKNOWN;
		if (file && fread(variable, 1, sizeof(variable), file) == sizeof(variable))
			f->secure_boot = variable[4] ? YES : NO;
		if (file)
			fclose(file);
	}
	file = fopen("/sys/kernel/security/lockdown", "r");
	if (file && !fgets(lockdown, sizeof(lockdown), file))
		lockdown[0] = '\0';
	if (file)
		fclose(file);
	f->signed_only = file_says("/sys/module/module/parameters/sig_enforce", 'Y') ||
			 strstr(lockdown, "[integrity]") || strstr(lockdown, "[confidentiality]");
}

/* The MSRs, of the first CPU; one that does not exist cannot be read. */
static void find_msrs(struct facts *f)
{
	int fd = open("/dev/cpu/0/msr", O_RDONLY | O_CLOEXEC);
	unsigned int i;

	f->msrs_error = fd < 0 ? errno : 0;
	if (fd < 0)
		return;
	f->feat_ctl_known = pread(fd, &f->feat_ctl, 8, VMX_MSR_FEAT_CTL) == 8;
	for (i = 0; i < MINIVMM_NR_VMX_MSRS; i++)
		if (pread(fd, &f->capability.msr[i], 8, MINIVMM_MSR_VMX_BASIC + i) == 8)
			f->capability.exists |= BIT(i);
	if (!f->capability.exists)
		f->msrs_error = EIO;
	close(fd);
}

static void find_device(struct facts *f)
{
	struct stat status;
	struct group *group;
	int fd;

	f->device = !stat(MINIVMM_DEVICE, &status);
	if (!f->device)
		return;
	f->device_mode = status.st_mode & 07777;
	group = getgrgid(status.st_gid);
	snprintf(f->device_group, sizeof(f->device_group), "%s", group ? group->gr_name : "?");
	fd = open(MINIVMM_DEVICE, O_RDWR | O_CLOEXEC);
	f->device_ours = fd >= 0;
	if (fd >= 0 && !ioctl(fd, MINIVMM_GET_CAPABILITY, &f->capability))
		f->msrs_error = 0;
	if (fd >= 0)
		close(fd);
}

/**
 * facts_gather() - find out what there is to know
 * @facts: filled
 */
void facts_gather(struct facts *facts)
{
	memset(facts, 0, sizeof(*facts));
	facts->root = !geteuid();
	find_processor(facts);
	find_flags(facts);
	find_modules(facts);
	find_kernel(facts);
	find_signatures(facts);
	if (facts->vmx)
		find_msrs(facts);
	find_device(facts);
	/* A module that is loaded found VT-x open. */
	if (facts->loaded && !facts->feat_ctl_known) {
		facts->feat_ctl = VMX_FEAT_CTL_LOCKED | VMX_FEAT_CTL_OUTSIDE_SMX;
		facts->feat_ctl_known = true;
	}
}
