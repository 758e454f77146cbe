// SPDX-License-Identifier: GPL-2.0
/* The command line of minivmm-run: its words are the lines of the input. */
// sources: userspace/run/options.c userspace/run/set.c userspace/common/vmcs_words.c
#include "input.h"
#include "userspace/run/options.h"

#define WORDS	32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *word = text;
	char *argv[WORDS + 2] = { "minivmm-run" };
	struct failure failure = { "" };
	struct options options;
	int argc = 1;

	memcpy(text, data, size);
	text[size] = 0;
	while (argc <= WORDS && word)
		argv[argc++] = strsep(&word, "\n");
	if (options_parse(&options, argc, argv, &failure)) {
		must(failure.text[0]);
	} else if (!options.help && !options.version) {
		must(!options.image != !options.kernel);
		must(options.device && *options.device);
		must(options.append && options.cpus >= 1 && options.cpus <= CPUS_MAX);
		must(options.initrd_count <= INITRDS_MAX);
		must(options.kernel || (!options.initrd_count && !*options.append));
		must(options.memory >= MEMORY_MIN && options.memory <= MEMORY_MAX);
		must(options.memory % PAGE_SIZE == 0);
		must(options.mode <= MODE_LONG);
	}
	free(text);
	return 0;
}
