/*
 * libdevmapper at the benchmark's jobs: `libdm JOB N RESULT [REPLY]`, as bench/peers.mjs starts it.
 *
 * Strategy: libdm as it is, on a kernel that is not there. The dynamic linker takes this program's ioctl()
 * and the three functions below it before libc's, so libdm opens, asks and is answered as ever; what a
 * kernel would spend, but for the copy of a reply, is left out. What is timed is libdm's own: its tasks,
 * its copies of every string, its buffer of 16 KiB and more, doubled until a reply fits and zeroed each
 * time. No job has an event, so udev is never asked; what libdm logs goes nowhere.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <libdevmapper.h>
#include <linux/dm-ioctl.h>
#include <linux/ioctl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#define NAME "bench"
#define LENGTH 2048ULL
#define CONTROL "/dev/mapper/control"
#define HAS_UUID 1 /* DM_NAME_LIST_FLAG_HAS_UUID, which older headers lack */

static size_t count;
/* The parameters of each target, and the same table as text. */
static char **parameters;
static char *text;
static size_t text_size;
/* What the kernel answers to a query. */
static struct dm_ioctl *reply;
/* Where the first run writes what it made; NULL from then on. */
static FILE *result;

static void must(int done, const char *what)
{
	if (done)
		return;
	fprintf(stderr, "libdm: %s failed\n", what);
	exit(1);
}

/* ── The kernel ──────────────────────────────────────────────────────────────────────────────── */

/* Answer a query as the kernel does: what does not fit is not there, and a flag says so. */
static void answer(struct dm_ioctl *request)
{
	must(reply != NULL, "a query without a reply");
	if (reply->data_size > request->data_size) {
		request->flags |= DM_BUFFER_FULL_FLAG;
		request->data_size = offsetof(struct dm_ioctl, data);
		return;
	}
	/* Flags that it does not know stay; libdm sends one to itself. */
	uint32_t flags = request->flags;
	memcpy(request, reply, reply->data_size);
	request->flags |= flags;
}

int ioctl(int fd, unsigned long code, ...)
{
	va_list rest;
	va_start(rest, code);
	struct dm_ioctl *request = va_arg(rest, struct dm_ioctl *);
	va_end(rest);
	(void)fd;

	switch (_IOC_NR(code)) {
	case DM_VERSION_CMD:
		break;
	case DM_TABLE_LOAD_CMD:
		if (result)
			fwrite(request, request->data_size, 1, result);
		/* No more is copied back, and libdm zeroes no more than that. */
		request->data_size = offsetof(struct dm_ioctl, data);
		break;
	case DM_TABLE_STATUS_CMD:
	case DM_LIST_DEVICES_CMD:
		answer(request);
		break;
	default:
		must(0, "an ioctl of no job");
	}
	request->version[0] = 4;
	request->version[1] = 48;
	request->version[2] = 0;
	return 0;
}

/*
 * The control node is there, and libdm must not make one. These names are those of glibc 2.33 and newer, and
 * on 64 bits struct stat64 is struct stat. Nothing here creates a file.
 */
int stat64(const char *path, struct stat64 *info)
{
	if (strcmp(path, CONTROL) != 0)
		return stat(path, (struct stat *)info);
	memset(info, 0, sizeof *info);
	info->st_mode = S_IFCHR | 0600;
	info->st_rdev = makedev(10, 236);
	return 0;
}

int open64(const char *path, int flags, ...)
{
	return open(strcmp(path, CONTROL) == 0 ? "/dev/null" : path, flags & ~O_CREAT);
}

FILE *fopen64(const char *path, const char *mode)
{
	static char devices[] = "Block devices:\n253 device-mapper\n";
	if (strcmp(path, "/proc/devices") == 0)
		return fmemopen(devices, strlen(devices), "r");
	return fopen(path, mode);
}

/* ── The jobs ────────────────────────────────────────────────────────────────────────────────── */

static struct dm_task *start(int type)
{
	struct dm_task *task = dm_task_create(type);
	must(task != NULL, "dm_task_create");
	return task;
}

static void add_targets(struct dm_task *task)
{
	for (size_t i = 0; i < count; i++)
		must(dm_task_add_target(task, i * LENGTH, LENGTH, "linear", parameters[i]), "a target");
}

/* A line at a time, with what dmsetup lets pass: blanks around, empty lines, comments. */
static void add_line(struct dm_task *task, char *line)
{
	static const char blank[] = " \t\n\v\f\r";
	char *end = line + strlen(line);
	while (end > line && strchr(blank, end[-1]))
		end--;
	*end = '\0';
	line += strspn(line, blank);
	if (*line == '\0' || *line == '#')
		return;

	unsigned long long first, length;
	char type[4096];
	int used;
	must(sscanf(line, "%llu %llu %4095s %n", &first, &length, type, &used) == 3, "a line");
	line += used;
	char *comment = strchr(line, '#');
	if (comment)
		*comment = '\0';
	must(dm_task_add_target(task, first, length, type, line), "a target");
}

static void add_text(struct dm_task *task)
{
	FILE *file = fmemopen(text, text_size, "r");
	char *line = NULL;
	size_t room = 0;
	while (getline(&line, &room, file) > 0)
		add_line(task, line);
	free(line);
	fclose(file);
}

static void load(void (*add)(struct dm_task *))
{
	struct dm_task *task = start(DM_DEVICE_RELOAD);
	must(dm_task_set_name(task, NAME), "dm_task_set_name");
	add(task);
	must(dm_task_run(task), "dm_task_run");
	dm_task_destroy(task);
}

static void encode(void)
{
	load(add_targets);
}

static void encode_text(void)
{
	load(add_text);
}

/* To values that are the caller's: they outlive the task. */
static void decode(void)
{
	struct row {
		uint64_t start, length;
		char *type, *parameters;
	};
	struct dm_task *task = start(DM_DEVICE_TABLE);
	struct dm_info info;
	must(dm_task_set_name(task, NAME) && dm_task_run(task), "dm_task_run");
	must(dm_task_get_info(task, &info), "dm_task_get_info");

	struct row *rows = malloc(info.target_count * sizeof *rows);
	size_t made = 0;
	void *next = NULL;
	do {
		struct row *row = &rows[made++];
		char *type, *words;
		next = dm_get_next_target(task, next, &row->start, &row->length, &type, &words);
		row->type = strdup(type);
		row->parameters = strdup(words);
	} while (next);
	dm_task_destroy(task);

	for (size_t i = 0; i < made; i++) {
		struct row *row = &rows[i];
		if (result)
			fprintf(result, "%llu %llu %s %s\n", (unsigned long long)row->start,
				(unsigned long long)row->length, row->type, row->parameters);
		free(row->type);
		free(row->parameters);
	}
	free(rows);
}

static void *aligned(char *at)
{
	return (void *)(((uintptr_t)at + 7) & ~(uintptr_t)7);
}

static void list(void)
{
	struct row {
		uint64_t dev;
		uint32_t event;
		char *name, *uuid;
	};
	struct dm_task *task = start(DM_DEVICE_LIST);
	/* So lvm2 asks for the uuids: any new uuid sets the flag. */
	must(dm_task_set_newuuid(task, " ") && dm_task_run(task), "dm_task_run");

	struct row *rows = NULL;
	size_t made = 0;
	struct dm_names *at = dm_task_get_names(task);
	for (uint32_t next = 1; next != 0 && at->dev != 0; at = (void *)((char *)at + next)) {
		/* Powers of two. */
		if ((made & (made - 1)) == 0)
			rows = realloc(rows, (made ? 2 * made : 1) * sizeof *rows);
		/* This libdm has no function for what stands behind a name. */
		uint32_t *tail = aligned(at->name + strlen(at->name) + 1);
		rows[made++] = (struct row){
			.dev = at->dev,
			.event = tail[0],
			.name = strdup(at->name),
			.uuid = tail[1] & HAS_UUID ? strdup(aligned((char *)(tail + 2))) : NULL,
		};
		next = at->next;
	}
	dm_task_destroy(task);

	for (size_t i = 0; i < made; i++) {
		struct row *row = &rows[i];
		if (result)
			fprintf(result, "%llu %u %s %s\n", (unsigned long long)row->dev, row->event, row->name,
				row->uuid ? row->uuid : "");
		free(row->name);
		free(row->uuid);
	}
	free(rows);
}

/* ── Runs ────────────────────────────────────────────────────────────────────────────────────── */

static void make_table(void)
{
	FILE *file = open_memstream(&text, &text_size);
	parameters = malloc(count * sizeof *parameters);
	for (size_t i = 0; i < count; i++) {
		must(asprintf(&parameters[i], "253:3 %llu", 2048 + i * LENGTH) > 0, "asprintf");
		fprintf(file, "%llu %llu linear %s\n", i * LENGTH, LENGTH, parameters[i]);
	}
	fclose(file);
}

static void read_reply(const char *path)
{
	struct stat info;
	must(stat(path, &info) == 0, path);
	reply = malloc(info.st_size);
	FILE *file = fopen(path, "r");
	must(file && fread(reply, info.st_size, 1, file) == 1, path);
	fclose(file);
}

static unsigned long long now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static unsigned long long run_times(void (*run)(void), unsigned long long times)
{
	unsigned long long begin = now();
	for (unsigned long long i = 0; i < times; i++)
		run();
	return now() - begin;
}

static void quiet(int level, const char *file, int line, int error, const char *format, ...)
{
	(void)level, (void)file, (void)line, (void)error, (void)format;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} jobs[] = {
		{ "encode", encode },
		{ "text", encode_text },
		{ "decode", decode },
		{ "list", list },
	};
	void (*run)(void) = NULL;
	for (size_t i = 0; argc >= 4 && i < sizeof jobs / sizeof *jobs; i++)
		if (strcmp(argv[1], jobs[i].name) == 0)
			run = jobs[i].run;
	if (run == NULL) {
		fputs("usage: libdm encode|text|decode|list N RESULT [REPLY]\n", stderr);
		return 2;
	}

	count = strtoul(argv[2], NULL, 10);
	make_table();
	if (argc > 4)
		read_reply(argv[4]);
	dm_log_with_errno_init(quiet);

	result = fopen(argv[3], "w");
	must(result != NULL, argv[3]);
	run();
	fclose(result);
	result = NULL;
	puts("ready");
	fflush(stdout);

	char line[64];
	unsigned long long times, ms;
	while (fgets(line, sizeof line, stdin)) {
		unsigned long long ns;
		if (sscanf(line, "times %llu", &times) == 1) {
			ns = run_times(run, times);
		} else {
			must(sscanf(line, "ms %llu", &ms) == 1, "an order");
			unsigned long long end = now() + ms * 1000000;
			times = 1;
			ns = run_times(run, times);
			while (now() < end) {
				if (ns < 5000000)
					times *= 2;
				ns = run_times(run, times);
			}
		}
		printf("%llu %llu\n", times, ns);
		fflush(stdout);
	}
	return 0;
}
