// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_IRQFD: who signals an eventfd raises an interrupt.
 *
 * Each is in the wait queue of its eventfd, whose lock is held when it is woken:
 * see the top of irq.c for the order of locks. It lives from KVM_IRQFD until it is
 * deassigned, until the VM's descriptor is closed, or until nobody has the eventfd
 * open any more (EPOLLHUP): whoever takes it out of the VM's list, under
 * mvm_irqfds::lock, ends it. Only shut_down() makes sure that nobody is in wake()
 * any more. On EPOLLHUP it cannot be called at once, for the eventfd's lock is
 * held: a work item does it, and closing the VM's descriptor waits for it.
 */
#include <linux/errno.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../compat.h"
#include "../mvm.h"
#include "irqchip.h"

/**
 * struct irqfd - one eventfd that raises an interrupt
 * @vm: the VM
 * @gsi: which
 * @active: it is in mvm_irqfds::all
 * @eventfd: with a reference
 * @resample: is signalled at the interrupt's EOI, with a reference; or NULL
 * @link: in mvm_irqfds::all; then in the list of those that end
 * @resample_link: in mvm_irqfds::resample
 * @wait: in the wait queue of @eventfd
 * @poll: puts it there
 * @work: shuts it down
 */
struct irqfd {
	struct mvm_vm *vm;
	u32 gsi;
	bool active;
	struct eventfd_ctx *eventfd;
	struct eventfd_ctx *resample;
	struct list_head link;
	struct list_head resample_link;
	wait_queue_entry_t wait;
	poll_table poll;
	struct work_struct work;
};

static struct workqueue_struct *queue;

/* It was signalled. Any context. */
static void raise(struct irqfd *i)
{
	if (i->resample) {
		/* Up until the EOI */
		mvm_irq_set(i->vm, MVM_IRQ_RESAMPLE, i->gsi, true);
	} else {
		mvm_irq_set(i->vm, MVM_IRQ_USER, i->gsi, true);
		mvm_irq_set(i->vm, MVM_IRQ_USER, i->gsi, false);
	}
}

/* Take it out of the VM's lists. mvm_irqfds::lock is held. */
static void deactivate(struct irqfd *i)
{
	i->active = false;
	list_del(&i->link);
	if (i->resample)
		list_del_rcu(&i->resample_link);
}

/* The eventfd was signalled or closed. Its lock is held, and interrupts are off. */
static int wake(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct irqfd *i = container_of(wait, struct irqfd, wait);
	struct mvm_irqfds *fds = &i->vm->irqfds;
	__poll_t events = key_to_poll(key);
	unsigned long flags;
	u64 count;

	if (events & EPOLLIN) {
		eventfd_ctx_do_read(i->eventfd, &count);
		if (READ_ONCE(i->active))
			raise(i);
	}
	if (events & EPOLLHUP) {
		spin_lock_irqsave(&fds->lock, flags);
		if (i->active) {
			deactivate(i);
			queue_work(queue, &i->work);
		}
		spin_unlock_irqrestore(&fds->lock, flags);
	}
	return 0;
}

/* Is there another that holds the GSI's line up? */
static bool line_is_shared(struct mvm_vm *vm, u32 gsi)
{
	bool shared = false;
	struct irqfd *i;

	rcu_read_lock();
	list_for_each_entry_rcu(i, &vm->irqfds.resample, resample_link)
		shared |= i->gsi == gsi;
	rcu_read_unlock();
	return shared;
}

/*
 * The end of one that was in the wait queue, and is not active any more, nor
 * anybody in mvm_irqfd_acked() who has seen it so.
 */
static void shut_down(struct irqfd *i)
{
	u64 count;

	eventfd_ctx_remove_wait_queue(i->eventfd, &i->wait, &count);
	if (i->resample) {
		if (!line_is_shared(i->vm, i->gsi))
			mvm_irq_set(i->vm, MVM_IRQ_RESAMPLE, i->gsi, false);
		eventfd_ctx_put(i->resample);
	}
	eventfd_ctx_put(i->eventfd);
	kfree(i);
}

static void shut_down_later(struct work_struct *work)
{
	struct irqfd *i = container_of(work, struct irqfd, work);

	if (i->resample)
		synchronize_rcu_expedited();
	shut_down(i);
}

static void enqueue(struct file *file, wait_queue_head_t *head, poll_table *poll)
{
	struct irqfd *i = container_of(poll, struct irqfd, poll);

	add_wait_queue(head, &i->wait);
}

/* Into the VM's lists. Return: 0, or -EBUSY if the eventfd raises another. */
static int activate(struct irqfd *i)
{
	struct mvm_irqfds *fds = &i->vm->irqfds;
	struct irqfd *other;
	int ret = 0;

	spin_lock_irq(&fds->lock);
	list_for_each_entry(other, &fds->all, link)
		if (other->eventfd == i->eventfd)
			ret = -EBUSY;
	if (!ret) {
		i->active = true;
		list_add_tail(&i->link, &fds->all);
		if (i->resample)
			list_add_tail_rcu(&i->resample_link, &fds->resample);
	}
	spin_unlock_irq(&fds->lock);
	return ret;
}

/* The caller holds the file: it is not closed meanwhile. */
static int assign(struct mvm_vm *vm, const struct kvm_irqfd *args, struct file *file)
{
	struct irqfd *i = kzalloc(sizeof(*i), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!i)
		return -ENOMEM;
	i->vm = vm;
	i->gsi = args->gsi;
	INIT_WORK(&i->work, shut_down_later);
	init_waitqueue_func_entry(&i->wait, wake);
	init_poll_funcptr(&i->poll, enqueue);
	i->eventfd = eventfd_ctx_fileget(file);
	ret = PTR_ERR_OR_ZERO(i->eventfd);
	if (ret)
		goto free;
	if (args->flags & KVM_IRQFD_FLAG_RESAMPLE) {
		i->resample = eventfd_ctx_fdget(args->resamplefd);
		ret = PTR_ERR_OR_ZERO(i->resample);
		if (ret)
			goto put;
	}
	/* Until it is in the wait queue too nobody may end it. */
	mutex_lock(&vm->lock);
	ret = activate(i);
	/* What was signalled before counts. */
	if (!ret && vfs_poll(file, &i->poll) & EPOLLIN)
		raise(i);
	mutex_unlock(&vm->lock);
	if (!ret)
		return 0;
	if (i->resample)
		eventfd_ctx_put(i->resample);
put:
	eventfd_ctx_put(i->eventfd);
free:
	kfree(i);
	return ret;
}

/* End those of @eventfd and @gsi, or all if it is NULL. @vm's lock is held. */
static void end(struct mvm_vm *vm, struct eventfd_ctx *eventfd, u32 gsi)
{
	struct irqfd *i, *next;
	bool resample = false;
	LIST_HEAD(gone);

	spin_lock_irq(&vm->irqfds.lock);
	list_for_each_entry_safe(i, next, &vm->irqfds.all, link) {
		if (eventfd && (i->eventfd != eventfd || i->gsi != gsi))
			continue;
		deactivate(i);
		list_add(&i->link, &gone);
		resample |= !!i->resample;
	}
	spin_unlock_irq(&vm->irqfds.lock);
	if (resample)
		synchronize_rcu_expedited();
	list_for_each_entry_safe(i, next, &gone, link)
		shut_down(i);
}

/**
 * mvm_irqfd() - KVM_IRQFD
 * @vm: the VM
 * @args: the argument, unchecked
 *
 * When one was taken out, signalling it raises nothing any more. May sleep.
 *
 * Return: 0, also where there is nothing to take out; -EINVAL for an unknown flag,
 * for what is no eventfd, or without controllers in the kernel (for resampling PIC
 * and I/O APIC); -EBADF, -EBUSY, -ENOMEM.
 */
int mvm_irqfd(struct mvm_vm *vm, const struct kvm_irqfd *args)
{
	struct eventfd_ctx *eventfd;
	struct file *file;
	int ret;

	if (args->flags & ~(KVM_IRQFD_FLAG_DEASSIGN | KVM_IRQFD_FLAG_RESAMPLE))
		return -EINVAL;
	if (args->flags & KVM_IRQFD_FLAG_DEASSIGN) {
		eventfd = eventfd_ctx_fdget(args->fd);
		if (IS_ERR(eventfd))
			return PTR_ERR(eventfd);
		mutex_lock(&vm->lock);
		end(vm, eventfd, args->gsi);
		mutex_unlock(&vm->lock);
		eventfd_ctx_put(eventfd);
		return 0;
	}
	/* Pairs with the release where it is set. */
	if (!smp_load_acquire(&vm->irqchip) ||
	    (args->flags & KVM_IRQFD_FLAG_RESAMPLE && !vm->chips))
		return -EINVAL;
	file = fget(args->fd);
	if (!file)
		return -EBADF;
	ret = assign(vm, args, file);
	fput(file);
	return ret;
}

/**
 * mvm_irqfd_acked() - a GSI's interrupt has ended
 * @vm: the VM
 * @gsi: the GSI
 *
 * Its line goes down; a device whose interrupt is not served yet is told, and
 * signals again. The caller is in an RCU reader's section.
 */
void mvm_irqfd_acked(struct mvm_vm *vm, u32 gsi)
{
	bool lowered = false;
	struct irqfd *i;

	list_for_each_entry_rcu(i, &vm->irqfds.resample, resample_link) {
		if (i->gsi != gsi)
			continue;
		/* Once, before the first signals again. */
		if (!lowered)
			mvm_irq_set(vm, MVM_IRQ_RESAMPLE, gsi, false);
		lowered = true;
		mvm_compat_eventfd_signal(i->resample);
	}
}

/**
 * mvm_irqfd_init_vm() - a new VM has none
 * @vm: the VM
 */
void mvm_irqfd_init_vm(struct mvm_vm *vm)
{
	spin_lock_init(&vm->irqfds.lock);
	INIT_LIST_HEAD(&vm->irqfds.all);
	INIT_LIST_HEAD(&vm->irqfds.resample);
}

/**
 * mvm_irqfd_release() - end all of them: the VM's descriptor is closed
 * @vm: the VM
 *
 * May sleep.
 */
void mvm_irqfd_release(struct mvm_vm *vm)
{
	mutex_lock(&vm->lock);
	end(vm, NULL, 0);
	mutex_unlock(&vm->lock);
	/* Those whose eventfd was closed use the VM, too. */
	flush_workqueue(queue);
}

/**
 * mvm_irqfd_init() - when the module is loaded
 *
 * Return: 0 or -ENOMEM.
 */
int mvm_irqfd_init(void)
{
	queue = alloc_workqueue("minivmm_irqfd", 0, 0);
	return queue ? 0 : -ENOMEM;
}

/**
 * mvm_irqfd_exit() - undo mvm_irqfd_init(): there is no VM any more
 */
void mvm_irqfd_exit(void)
{
	destroy_workqueue(queue);
}
