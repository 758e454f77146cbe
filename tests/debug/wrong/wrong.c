// SPDX-License-Identifier: GPL-2.0
/*
 * A module that makes the mistakes that the debug kernel is there to find:
 * each must be reported, or the debug kernel is worth nothing.
 *
 *	insmod wrong.ko what=use-after-free; rmmod wrong
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>

static char *what = "";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "which mistake; see the source");

/* Numbers and memory that the compiler knows nothing about */
static int unknown(int n)
{
	OPTIMIZER_HIDE_VAR(n);
	return n;
}

static void use_after_free(void)
{
	char *p = kmalloc(100, GFP_KERNEL);

	kfree(p);
	OPTIMIZER_HIDE_VAR(p);
	WRITE_ONCE(p[10], 1);
}

static void vmalloc_overrun(void)
{
	char *p = vmalloc(PAGE_SIZE - 100);

	OPTIMIZER_HIDE_VAR(p);
	WRITE_ONCE(p[PAGE_SIZE - 50], 1);
	vfree(p);
}

static void stack_overrun(void)
{
	char array[20] = { };

	READ_ONCE(*(array + unknown(22)));
}

static void array_index(void)
{
	static struct {
		int n[4];
		int more[4];
	} data;

	data.n[unknown(5)] = 1;
	pr_info("%d\n", data.more[1]);
}

static void shift(void)
{
	pr_info("%d\n", 1 << unknown(33));
}

static DEFINE_SPINLOCK(spin);
static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

static void sleep_in_atomic(void)
{
	spin_lock(&spin);
	mutex_lock(&first);
	mutex_unlock(&first);
	spin_unlock(&spin);
}

static void lock_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void which_cpu(void)
{
	pr_info("on CPU %d\n", smp_processor_id());
}

static void nothing(struct timer_list *timer)
{
}

static void free_timer(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	timer_setup(timer, nothing, 0);
	mod_timer(timer, jiffies + HZ * 1000);
	kfree(timer);
}

static void leak(void)
{
	pr_info("leaked %d\n", !!kmalloc(300, GFP_KERNEL));
}

static void list_corruption(void)
{
	struct list_head head = LIST_HEAD_INIT(head), entry;

	list_add(&entry, &head);
	head.next = &head;
	list_del(&entry);
}

static const struct {
	const char *name;
	void (*make)(void);
} mistakes[] = {
	{ "use-after-free", use_after_free },
	{ "vmalloc-overrun", vmalloc_overrun },
	{ "stack-overrun", stack_overrun },
	{ "array-index", array_index },
	{ "shift", shift },
	{ "sleep-in-atomic", sleep_in_atomic },
	{ "lock-order", lock_order },
	{ "preemptible", which_cpu },
	{ "free-timer", free_timer },
	{ "leak", leak },
	{ "list-corruption", list_corruption },
};

static int __init wrong_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(mistakes); i++)
		if (!strcmp(what, mistakes[i].name)) {
			pr_info("%s\n", what);
			mistakes[i].make();
			return 0;
		}
	return -EINVAL;
}
module_init(wrong_init);

static void __exit wrong_exit(void)
{
}
module_exit(wrong_exit);

MODULE_DESCRIPTION("what the debug kernel must find");
MODULE_LICENSE("GPL");
