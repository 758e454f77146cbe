/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RUN_OPTIONS_H
#define RUN_OPTIONS_H

#include "dump.h"
#include "layout.h"
#include "set.h"
#include "status.h"

#define DEFAULT_DEVICE	"/dev/minivmm"
#define DEFAULT_MEMORY	(64 * MIB)
#define DEFAULT_MEMORY_KERNEL	(256 * MIB)

#define CPUS_MAX	16
#define INITRDS_MAX	8
#define SETTINGS_MAX	16

enum trace_kind { TRACE_JSON, TRACE_HTML };

/**
 * struct gdb_place - where gdb is to connect
 * @path: of a socket, NULL for a port
 * @host: whose port
 * @port: in digits
 */
struct gdb_place {
	const char *path;
	char host[256];
	char port[8];
};

/**
 * struct options - what the command line asked for
 * @help: only the help was asked for
 * @version: only the version was asked for
 * @stats: print the counters of the vCPU at the end
 * @trace: where the timeline goes, NULL for none
 * @trace_kind: what it is to be
 * @gdb: where gdb is to connect, as the user wrote it, NULL for nowhere
 * @gdb_place: the same, taken apart
 * @dumps: VMCSs to print
 * @setting_count: of @settings
 * @settings: registers of the first vCPU
 * @verbose: say what is otherwise passed over in silence
 * @image: the guest's file, NULL for a kernel
 * @kernel: a kernel's file, NULL for a plain image
 * @initrd_count: of @initrds
 * @initrds: initial RAM disks, or modules of a multiboot kernel
 * @append: the kernel's command line
 * @cpus: how many processors
 * @device: the device to open
 * @memory: bytes of RAM, checked
 * @timeout: in milliseconds, 0 for none
 * @mode: for a flat image
 * @mode_given: @mode was on the command line
 * @load: guest-physical address of a flat image
 * @load_given: @load was on the command line
 */
struct options {
	bool help;
	bool version;
	bool stats;
	const char *trace;
	enum trace_kind trace_kind;
	const char *gdb;
	struct gdb_place gdb_place;
	struct dumps dumps;
	unsigned int setting_count;
	struct setting settings[SETTINGS_MAX];
	bool verbose;
	const char *image;
	const char *kernel;
	unsigned int initrd_count;
	const char *initrds[INITRDS_MAX];
	const char *append;
	unsigned int cpus;
	const char *device;
	__u64 memory;
	__u64 timeout;
	enum mode mode;
	bool mode_given;
	__u64 load;
	bool load_given;
};

extern const char options_help[];

int options_parse(struct options *options, int argc, char *argv[],
		  struct failure *failure);

const char *parse_size(const char *text, __u64 *bytes);
const char *parse_address(const char *text, __u64 *address);
const char *parse_duration(const char *text, __u64 *milliseconds);
const char *parse_cpus(const char *text, unsigned int *cpus);
const char *parse_dumps(const char *text, struct dumps *dumps);
const char *parse_trace(const char *text, enum trace_kind *kind);
const char *parse_gdb(const char *text, struct gdb_place *place);
const char *parse_mode(const char *text, enum mode *mode);

#endif /* RUN_OPTIONS_H */
