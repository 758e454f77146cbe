// SPDX-License-Identifier: GPL-2.0
/*
 * --gdb: a server for gdb's remote protocol. A thread of its own talks with gdb.
 *
 * gdb's commands are for a machine that stands still ("all-stop"). A vCPU's thread
 * that has something to stop for waits ("is parked") where nothing of KVM_RUN is left
 * to be completed, and makes all others do the same; when the last is there, gdb's
 * thread may touch their registers and tells gdb.
 *
 *	vCPU's thread				gdb's thread
 *
 *	KVM_RUN: KVM_EXIT_DEBUG
 *	park: others are kicked, wait   ->	all are parked: "T05...", commands
 *	KVM_RUN				<-	"vCont": KVM_SET_GUEST_DEBUG, unpark
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "gdb.h"
#include "gdb_points.h"
#include "report.h"
#include "stop.h"
#include "threads.h"

/* A signal does not end a wait for a condition: look that often whether one came. */
#define PARKED_NS	(50 * 1000 * 1000)
/* For a gdb that does not read; and for it to take leave */
#define PATIENCE_S	1

/**
 * struct debugger - gdb and the guest
 * @guest: the guest
 * @place: where gdb connects
 * @listener: socket there
 * @connection: with gdb, -1 while there is none
 * @wake: an eventfd: a vCPU is parked, or the guest has ended
 * @thread: gdb's
 * @started: @thread is
 * @lock: guards what is below, up to @status
 * @unparked: vCPUs may go on
 * @all: a bit for each vCPU
 * @parked: those that wait
 * @hit: those that have a stop of their own that gdb does not know of
 * @stopping: all are to be parked
 * @stopper: for the sake of this one
 * @stops: why each is parked
 * @attached: gdb is there
 * @ended: the guest has come to its end
 * @status: how
 * @owed: gdb waits to be told of a stop
 * @parser: what came from gdb
 * @sent: the last packet, for gdb to ask for again
 * @sent_size: of it
 * @points: breakpoints
 * @gdb: the connection's state
 */
struct debugger {
	struct guest *guest;
	struct gdb_place place;
	int listener;
	int connection;
	int wake;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t unparked;
	__u32 all, parked, hit;
	bool stopping;
	unsigned int stopper;
	struct gdb_stop stops[CPUS_MAX];
	bool attached;
	bool ended;
	int status;
	bool owed;
	struct gdb_parser parser;
	char sent[GDB_PACKET_MAX + GDB_FRAME];
	size_t sent_size;
	struct gdb_points points;
	struct gdb gdb;
};

/* Under the lock, so that no kick comes when a vCPU goes on again. */
static void stop_all(struct debugger *d, unsigned int stopper, const struct gdb_stop *stop)
{
	if (d->stopping)
		return;
	d->stopping = true;
	d->stopper = stopper;
	d->stops[stopper] = *stop;
	threads_kick();
}

static void park(struct debugger *d, struct vcpu *vcpu)
{
	struct timespec until;

	d->parked |= BIT(vcpu->index);
	eventfd_write(d->wake, 1);
	while (d->parked & BIT(vcpu->index) && !stop_asked()) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += PARKED_NS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&d->unparked, &d->lock, &until);
	}
}

static void park_for(struct debugger *d, struct vcpu *vcpu, const struct gdb_stop *stop)
{
	pthread_mutex_lock(&d->lock);
	d->stops[vcpu->index] = *stop;
	d->hit |= BIT(vcpu->index);
	stop_all(d, vcpu->index, stop);
	park(d, vcpu);
	pthread_mutex_unlock(&d->lock);
}

/**
 * gdb_before_first() - a vCPU waits for gdb before its first KVM_RUN
 * @d: the debugger, or NULL
 * @vcpu: the vCPU, whose own thread calls
 */
void gdb_before_first(struct debugger *d, struct vcpu *vcpu)
{
	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	park(d, vcpu);
	pthread_mutex_unlock(&d->lock);
}

/**
 * gdb_interrupted() - KVM_RUN was interrupted; nothing of it is left to complete
 * @d: the debugger, or NULL
 * @vcpu: the vCPU, whose own thread calls
 */
void gdb_interrupted(struct debugger *d, struct vcpu *vcpu)
{
	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	if (d->stopping)
		park(d, vcpu);
	pthread_mutex_unlock(&d->lock);
}

/**
 * gdb_debug_exit() - KVM_RUN returned for KVM_EXIT_DEBUG
 * @d: the debugger
 * @vcpu: the vCPU, whose own thread calls
 */
void gdb_debug_exit(struct debugger *d, struct vcpu *vcpu)
{
	struct gdb_stop stop;

	if (gdb_is_stop(&d->points, vcpu, &stop))
		park_for(d, vcpu, &stop);
}

/**
 * gdb_failed() - the guest cannot go on; let gdb look before it ends
 * @d: the debugger, or NULL
 * @vcpu: the vCPU, whose own thread calls
 * @status: how it is going to end
 */
void gdb_failed(struct debugger *d, struct vcpu *vcpu, int status)
{
	struct gdb_stop stop = { 0 };
	bool attached;

	switch (status) {
	case STATUS_TRIPLE_FAULT:
	case STATUS_NO_VECTOR:
		stop.signal = GDB_SIGSEGV;
		break;
	case STATUS_NO_MEMORY:
		stop.signal = GDB_SIGBUS;
		break;
	case STATUS_ENTRY_FAILURE:
	case STATUS_UNHANDLED:
		stop.signal = GDB_SIGILL;
		break;
	default:
		return;
	}
	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	attached = d->attached;
	pthread_mutex_unlock(&d->lock);
	if (attached)
		park_for(d, vcpu, &stop);
}

static void lost(struct debugger *d)
{
	struct gdb_stop stop = { .signal = GDB_SIGINT };

	close(d->connection);
	d->connection = -1;
	d->owed = false;
	pthread_mutex_lock(&d->lock);
	d->attached = false;
	stop_all(d, 0, &stop);
	pthread_mutex_unlock(&d->lock);
	report_note("gdb is gone; the guest stands still until another one connects");
}

static void send_bytes(struct debugger *d, const char *bytes, size_t size)
{
	ssize_t sent;

	while (size && d->connection >= 0) {
		sent = send(d->connection, bytes, size, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		/* Whoever does not read what it asked for is seen to be gone by recv(). */
		if (sent < 0) {
			shutdown(d->connection, SHUT_RDWR);
			return;
		}
		bytes += sent;
		size -= sent;
	}
}

static void send_packet(void *debugger, const struct gdb_text *text)
{
	struct debugger *d = debugger;

	d->sent_size = gdb_frame(text, d->sent);
	send_bytes(d, d->sent, d->sent_size);
}

static int load(void *debugger, unsigned int vcpu, struct gdb_cpu *cpu)
{
	struct debugger *d = debugger;
	int fd = d->guest->machine->vcpus[vcpu].fd;

	if (ioctl(fd, KVM_GET_REGS, &cpu->regs) || ioctl(fd, KVM_GET_SREGS, &cpu->sregs) ||
	    ioctl(fd, KVM_GET_FPU, &cpu->fpu))
		return -errno;
	return 0;
}

static int store(void *debugger, unsigned int vcpu, const struct gdb_cpu *cpu)
{
	struct debugger *d = debugger;
	int fd = d->guest->machine->vcpus[vcpu].fd;

	if (ioctl(fd, KVM_SET_SREGS, &cpu->sregs) || ioctl(fd, KVM_SET_REGS, &cpu->regs) ||
	    ioctl(fd, KVM_SET_FPU, &cpu->fpu))
		return -errno;
	return 0;
}

static int read_memory(void *debugger, unsigned int vcpu, __u64 address, void *to, size_t size)
{
	struct debugger *d = debugger;

	return gdb_memory(&d->points, vcpu, address, to, size, false);
}

static int write_memory(void *debugger, unsigned int vcpu, __u64 address, const void *from,
			size_t size)
{
	struct debugger *d = debugger;

	return gdb_memory(&d->points, vcpu, address, (void *)from, size, true);
}

static int insert(void *debugger, unsigned int vcpu, enum gdb_point point, __u64 address,
		  unsigned int size)
{
	struct debugger *d = debugger;

	return gdb_insert(&d->points, vcpu, point, address, size);
}

static int remove_point(void *debugger, enum gdb_point point, __u64 address, unsigned int size)
{
	struct debugger *d = debugger;

	return gdb_remove(&d->points, point, address, size);
}

static void describe(void *debugger, unsigned int vcpu, FILE *out)
{
	static const char * const waits[] = {
		[KVM_MP_STATE_UNINITIALIZED] = "waits for INIT",
		[KVM_MP_STATE_INIT_RECEIVED] = "waits for SIPI",
		[KVM_MP_STATE_HALTED] = "halted",
	};
	struct debugger *d = debugger;
	struct kvm_mp_state state = { 0 };

	fprintf(out, "vCPU %u", vcpu);
	if (d->guest->machine->is_pc &&
	    !ioctl(d->guest->machine->vcpus[vcpu].fd, KVM_GET_MP_STATE, &state) &&
	    state.mp_state < ARRAY_SIZE(waits) && waits[state.mp_state])
		fprintf(out, ", %s", waits[state.mp_state]);
}

static void monitor(void *debugger, unsigned int vcpu, const char *command, FILE *out)
{
	struct debugger *d = debugger;
	struct gdb_cpu cpu;

	if (strcmp(command, "registers"))
		fputs("registers  all registers of this vCPU, segments and control bits in words\n",
		      out);
	else if (!load(d, vcpu, &cpu))
		state_print(out, &d->guest->machine->vcpus[vcpu], &cpu.regs, &cpu.sregs);
}

static const struct gdb_target target = {
	.load = load,
	.store = store,
	.read = read_memory,
	.write = write_memory,
	.insert = insert,
	.remove = remove_point,
	.describe = describe,
	.monitor = monitor,
};

/* A watchpoint that another vCPU hit meanwhile would be forgotten otherwise. */
static bool tell_another(struct debugger *d)
{
	unsigned int i;

	for (i = 0; i < d->gdb.cpus; i++) {
		if (!(d->hit & BIT(i)) || d->gdb.actions[i] == GDB_STAY ||
		    !d->stops[i].by_point || d->stops[i].point < GDB_WRITE)
			continue;
		d->stopper = i;
		return true;
	}
	return false;
}

/* Let go on whom gdb wants to. */
static void go(struct debugger *d)
{
	struct machine *machine = d->guest->machine;
	unsigned int i;

	pthread_mutex_lock(&d->lock);
	if (!tell_another(d)) {
		for (i = 0; i < machine->cpus; i++) {
			if (d->gdb.actions[i] == GDB_STAY)
				continue;
			gdb_apply(&d->points, i, d->gdb.actions[i] == GDB_STEP);
			__atomic_store_n(&machine->vcpus[i].run->immediate_exit, 0,
					 __ATOMIC_SEQ_CST);
			d->parked &= ~BIT(i);
		}
		d->hit = 0;
		d->stopping = false;
		/* This one asked for the end, and its kick is undone now. */
		if (stop_asked())
			threads_kick();
		pthread_cond_broadcast(&d->unparked);
	}
	pthread_mutex_unlock(&d->lock);
}

static void go_all(struct debugger *d)
{
	unsigned int i;

	d->hit = 0;
	for (i = 0; i < d->gdb.cpus; i++)
		d->gdb.actions[i] = GDB_CONTINUE;
	go(d);
}

static bool all_parked(struct debugger *d)
{
	bool all;

	pthread_mutex_lock(&d->lock);
	/* Also who was left standing when others went on; they come back first. */
	all = d->stopping && d->parked == d->all;
	if (all) {
		d->gdb.stopped = d->stopper;
		d->gdb.stop = d->stops[d->stopper];
		d->hit &= ~BIT(d->stopper);
	}
	pthread_mutex_unlock(&d->lock);
	return all;
}

static void interrupt(struct debugger *d, unsigned int signal)
{
	struct gdb_stop stop = { .signal = signal };

	pthread_mutex_lock(&d->lock);
	stop_all(d, 0, &stop);
	pthread_mutex_unlock(&d->lock);
}

static void command(struct debugger *d)
{
	if (!d->gdb.no_acks)
		send_bytes(d, "+", 1);
	switch (gdb_command(&d->gdb, d->parser.data, d->parser.length)) {
	case GDB_MORE:
		break;
	case GDB_GO:
		d->owed = true;
		go(d);
		break;
	case GDB_DETACH:
		gdb_remove_all(&d->points);
		close(d->connection);
		d->connection = -1;
		pthread_mutex_lock(&d->lock);
		d->attached = false;
		pthread_mutex_unlock(&d->lock);
		go_all(d);
		break;
	case GDB_KILL:
		report_note("ended by gdb");
		guest_end(d->guest, STATUS_LEFT);
		break;
	}
}

/* What came from gdb; while the guest runs, that is Ctrl-C or nothing. */
static void receive(struct debugger *d)
{
	char bytes[512];
	ssize_t got, i;

	got = recv(d->connection, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0) {
		lost(d);
		return;
	}
	for (i = 0; i < got && d->connection >= 0; i++) {
		switch (gdb_parse(&d->parser, bytes[i])) {
		case GDB_PACKET:
			if (!d->owed)
				command(d);
			break;
		case GDB_BROKEN:
			if (!d->gdb.no_acks)
				send_bytes(d, "-", 1);
			break;
		case GDB_INTERRUPT:
			interrupt(d, GDB_SIGINT);
			break;
		case GDB_AGAIN:
			send_bytes(d, d->sent, d->sent_size);
			break;
		case GDB_NOTHING:
			break;
		}
	}
}

static void greet(struct debugger *d)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = accept4(d->listener, NULL, NULL, SOCK_CLOEXEC), on = 1;

	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	d->connection = fd;
	d->parser = (struct gdb_parser) { 0 };
	d->sent_size = 0;
	d->gdb = (struct gdb) {
		.target = &target, .context = d, .send = send_packet,
		.cpus = d->guest->machine->cpus,
	};
	pthread_mutex_lock(&d->lock);
	d->attached = true;
	pthread_mutex_unlock(&d->lock);
	interrupt(d, GDB_SIGTRAP);
}

/* It was owed an answer: the guest's status, or the signal that ended it. */
static void say_goodbye(struct debugger *d)
{
	struct gdb_text text = { 0 };
	char rest[64];

	if (d->connection < 0)
		return;
	if (d->status <= STATUS_SIGNAL)
		gdb_put(&text, "W%02x", d->status);
	else
		gdb_put(&text, "X%02x", d->status - STATUS_SIGNAL);
	if (d->owed)
		send_packet(d, &text);
	/* Closed with anything unread, the packet would be thrown away. */
	shutdown(d->connection, SHUT_WR);
	while (recv(d->connection, rest, sizeof(rest), 0) > 0)
		;
	close(d->connection);
	d->connection = -1;
}

static bool has_ended(struct debugger *d)
{
	bool ended;

	pthread_mutex_lock(&d->lock);
	ended = d->ended;
	pthread_mutex_unlock(&d->lock);
	return ended;
}

static void *serve(void *debugger)
{
	struct debugger *d = debugger;
	eventfd_t count;

	while (!has_ended(d)) {
		struct pollfd files[] = {
			{ .fd = d->wake, .events = POLLIN },
			{ .fd = d->connection < 0 ? d->listener : -1, .events = POLLIN },
			{ .fd = -1, .events = POLLIN },
		};
		bool still = all_parked(d);

		if (still && d->owed && d->connection >= 0) {
			d->owed = false;
			gdb_tell_stop(&d->gdb);
		}
		if (still && d->connection < 0)
			gdb_remove_all(&d->points);
		if (still || d->owed)
			files[2].fd = d->connection;
		if (poll(files, ARRAY_SIZE(files), -1) < 0)
			continue;
		if (files[0].revents)
			eventfd_read(d->wake, &count);
		if (files[2].revents)
			receive(d);
		if (files[1].revents)
			greet(d);
	}
	say_goodbye(d);
	return NULL;
}

/* A socket that nobody listens at any more may be replaced, nothing else. */
static void remove_stale(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) &&
	    errno == ECONNREFUSED)
		unlink(address->sun_path);
	if (fd >= 0)
		close(fd);
}

static int listen_path(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	remove_stale(&address);
	if (!bind(fd, (struct sockaddr *)&address, sizeof(address)) && !listen(fd, 1))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int listen_port(struct gdb_place *place, const char **why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	int fd, err, on = 1;

	err = getaddrinfo(place->host, place->port, &hints, &found);
	if (err) {
		*why = gai_strerror(err);
		return -EINVAL;
	}
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	err = 0;
	if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, 1))
		err = -errno;
	freeaddrinfo(found);
	if (err) {
		if (fd >= 0)
			close(fd);
		return err;
	}
	/* Port 0 is any: say which. */
	if (!getsockname(fd, (struct sockaddr *)&address, &size))
		getnameinfo((struct sockaddr *)&address, size, NULL, 0, place->port,
			    sizeof(place->port), NI_NUMERICSERV);
	return fd;
}

/**
 * gdb_open() - listen where gdb is to connect
 * @options: the place
 * @debugger: the answer, gdb_close() it; NULL without --gdb
 * @failure: what went wrong
 *
 * Return: STATUS_OK or why not.
 */
int gdb_open(const struct options *options, struct debugger **debugger,
	     struct failure *failure)
{
	const char *why = NULL;
	struct debugger *d;

	*debugger = NULL;
	if (!options->gdb)
		return STATUS_OK;
	d = calloc(1, sizeof(*d));
	if (!d)
		return failed(failure, STATUS_SYSTEM, "--gdb: %s", strerror(ENOMEM));
	d->place = options->gdb_place;
	d->connection = -1;
	d->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	d->listener = d->place.path ? listen_path(d->place.path) : listen_port(&d->place, &why);
	if (d->listener < 0 || d->wake < 0) {
		failed(failure, STATUS_SYSTEM, "--gdb %s: %s", options->gdb,
		       why ?: strerror(d->listener < 0 ? -d->listener : errno));
		if (d->listener < 0)
			d->place.path = NULL;
		gdb_close(d);
		return STATUS_SYSTEM;
	}
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->unparked, NULL);
	*debugger = d;
	return STATUS_OK;
}

/**
 * gdb_start() - from now on gdb may connect
 * @d: the debugger
 * @guest: the guest, whose vCPUs have not run
 *
 * Return: 0 or a negative errno.
 */
int gdb_start(struct debugger *d, struct guest *guest)
{
	sigset_t all, old;
	int err;

	d->guest = guest;
	d->points.machine = guest->machine;
	d->all = BIT(guest->machine->cpus) - 1;
	d->stopping = true;
	d->stops[0].signal = GDB_SIGTRAP;
	if (d->place.path)
		report_note("waiting for gdb: target remote %s", d->place.path);
	else
		report_note("waiting for gdb: target remote %s%s%s:%s",
			    strchr(d->place.host, ':') ? "[" : "", d->place.host,
			    strchr(d->place.host, ':') ? "]" : "", d->place.port);

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&d->thread, NULL, serve, d);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	d->started = !err;
	return -err;
}

/**
 * gdb_end() - the guest has ended: tell gdb
 * @d: the debugger, or NULL
 * @status: how it ended
 */
void gdb_end(struct debugger *d, int status)
{
	if (!d || !d->started)
		return;
	pthread_mutex_lock(&d->lock);
	d->ended = true;
	d->status = status;
	pthread_mutex_unlock(&d->lock);
	eventfd_write(d->wake, 1);
	pthread_join(d->thread, NULL);
	d->started = false;
}

/**
 * gdb_close() - give everything back
 * @d: the debugger, or NULL; none of the guest's threads is left
 */
void gdb_close(struct debugger *d)
{
	if (!d)
		return;
	if (d->listener >= 0)
		close(d->listener);
	if (d->place.path)
		unlink(d->place.path);
	if (d->wake >= 0)
		close(d->wake);
	free(d);
}
