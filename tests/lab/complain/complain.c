// SPDX-License-Identifier: GPL-2.0
/*
 * A module that does what no module should: the lab must not miss it.
 *
 *	insmod complain.ko what=warn
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bug.h>
#include <linux/module.h>
#include <linux/sched.h>

static char *what = "";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "warn: WARN(); oops: reads address 0 and dies of it");

static int __init complain_init(void)
{
	if (!strcmp(what, "warn"))
		WARN(1, "asked to\n");
	else if (!strcmp(what, "oops"))
		READ_ONCE(*(int *)8);
	pr_info("loaded\n");
	return 0;
}
module_init(complain_init);

static void __exit complain_exit(void)
{
}
module_exit(complain_exit);

MODULE_DESCRIPTION("what the lab's own tests load");
MODULE_LICENSE("GPL");
