/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The ELF reader and what it finds of a CPython, on files made by hand, cut, and corrupted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "binary.h"
#include "elf_file.h"
#include "py_version.h"
#include "usdt_note.h"

#include "elf_image.h"

#if defined(__x86_64__)
#define ARGS_A "8@%rbx 8@%r15"
#define ARGS_B "8@-16(%rbp) -4@%eax"
#define REG_A  3
#define REG_B  6
#else
#define ARGS_A "8@x3 8@x15"
#define ARGS_B "8@[x6, -16] -4@w0"
#define REG_A  3
#define REG_B  6
#endif

/* The symbols of a CPython; addresses are of no use but to be found again. */
static void add_api(struct image *im, int minor)
{
	image__symbol(im, "PySys_Audit", IMAGE_IN_TEXT(IMAGE_CODE), true);
	image__symbol(im, "_Py_NoneStruct", 0x605010, true);
	image__symbol(im, "PyType_Type", 0x605020, true);
	image__symbol(im, "_PyRuntime", IMAGE_IN_DATA(IMAGE_RUNTIME), true);
	if (minor >= 9)
		image__symbol(im, "PyFrame_GetCode", IMAGE_IN_TEXT(IMAGE_CODE), true);
	if (minor >= 10)
		image__symbol(im, "Py_NewRef", IMAGE_IN_TEXT(IMAGE_CODE), true);
	if (minor >= 11)
		image__symbol(im, "Py_Version", IMAGE_IN_DATA(IMAGE_VERSION), true);
}

static void set_version(struct image *im, uint64_t hex)
{
	image__put(im, IMAGE_VERSION, &hex, sizeof(hex));
}

static struct binary *open_image(const struct image *im, const char *path)
{
	struct binary *b = NULL;

	assert_int_equal(binary__open(image__fd(im->data, IMAGE_SIZE), path, &b), 0);
	assert_non_null(b);
	return b;
}

static int error_of(const struct image *im)
{
	struct binary *b = NULL;
	int err = binary__open(image__fd(im->data, IMAGE_SIZE), "x", &b);

	binary__free(b);
	return err;
}

static void test_sites(void **state)
{
	uint64_t code = IMAGE_IN_TEXT(IMAGE_CODE), sem = IMAGE_IN_DATA(IMAGE_SEM);
	struct pt_site site = {0};
	struct image im;
	struct binary *b;

	image__init(&im);
	add_api(&im, 11);
	set_version(&im, 0x030b02f0);
	image__note(&im, "python", "gc__start", "-4@5", code, IMAGE_BASE_ADDRESS, sem);
	image__note(&im, "python", "audit", ARGS_A, code + 1, IMAGE_BASE_ADDRESS, sem);
	image__note(&im, "ruby", "audit", ARGS_A, code + 2, IMAGE_BASE_ADDRESS, sem);
	image__note(&im, "python", "audit", ARGS_B, code + 3, IMAGE_BASE_ADDRESS, 0);
	/* the same once more; out of the code; with a semaphore that is nowhere */
	image__note(&im, "python", "audit", ARGS_B, code + 3, IMAGE_BASE_ADDRESS, 0);
	image__note(&im, "python", "audit", ARGS_A, IMAGE_IN_DATA(IMAGE_SEM), IMAGE_BASE_ADDRESS,
	            sem);
	image__note(&im, "python", "audit", ARGS_A, code + 4, IMAGE_BASE_ADDRESS, 0x1234);
	image__finish(&im, true, IMAGE_BASE_ADDRESS);
	b = open_image(&im, "/usr/bin/python3.11");
	assert_int_equal(b->sites_cnt, 2);
	assert_int_equal(b->sites[0].address, code + 1);
	assert_int_equal(b->sites[0].offset, IMAGE_CODE + 1);
	assert_int_equal(b->sites[0].semaphore, IMAGE_SEM);
	assert_int_equal(b->sites[0].args[0].kind, PT_ARG_REG);
	assert_int_equal(b->sites[0].args[0].reg, REG_A);
	assert_int_equal(b->sites[0].args[1].reg, 15);
	assert_int_equal(b->sites[1].offset, IMAGE_CODE + 3);
	assert_int_equal(b->sites[1].semaphore, 0);
	assert_int_equal(b->sites[1].args[0].kind, PT_ARG_REG_DEREF);
	assert_int_equal(b->sites[1].args[0].reg, REG_B);
	assert_int_equal(b->sites[1].args[0].value, -16);
	assert_int_equal(b->sites[1].args[1].size, 4);
	assert_true(b->sites[1].args[1].is_signed);
	assert_int_equal(b->known[PT_KNOWN_NONE], 0x605010);
	assert_int_equal(b->known[PT_KNOWN_TYPE], 0x605020);
	assert_int_equal(b->known[PT_KNOWN_STR], 0);
	assert_int_equal(b->runtime, IMAGE_IN_DATA(IMAGE_RUNTIME));
	assert_true(b->shared);
	assert_string_equal(b->build_id, "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3");
	assert_string_equal(b->py_version_text, "3.11.2");
	binary__fill_site(b, 1, &site);
	assert_int_equal(site.address, code + 3);
	assert_int_equal(site.probe, PT_PROBE_USDT);
	assert_int_equal(site.py_version, 0x030b02f0);
	assert_int_equal(site.known[PT_KNOWN_NONE], 0x605010);
	assert_memory_equal(site.args, b->sites[1].args, sizeof(site.args));
	binary__free(b);
}

static void test_many_sites(void **state)
{
	struct image im;
	struct binary *b;

	image__init(&im);
	add_api(&im, 8);
	for (uint64_t i = 0; i < 20; i++) {
		image__note(&im, "python", "audit", "8@0", IMAGE_IN_TEXT(IMAGE_CODE) + i,
		            IMAGE_BASE_ADDRESS, 0);
		image__note(&im, "p", "audit", "", IMAGE_IN_TEXT(IMAGE_CODE) + i, 0, 0);
	}
	assert_true(im.notes < IMAGE_SHSTRTAB - IMAGE_NOTES + 0x600);
	image__finish(&im, true, 0);
	b = open_image(&im, "python");
	assert_int_equal(b->sites_cnt, 0); /* no section headers, no notes */
	binary__free(b);
}

static void test_prelink(void **state)
{
	uint64_t code = IMAGE_IN_TEXT(IMAGE_CODE), sem = IMAGE_IN_DATA(IMAGE_SEM);
	struct image im;
	struct binary *b;

	/* The file was moved up by 0x200000 since the notes were made. */
	image__init(&im);
	add_api(&im, 11);
	image__note(&im, "python", "audit", ARGS_A, code - 0x200000 + 7,
	            IMAGE_BASE_ADDRESS - 0x200000, sem - 0x200000);
	/* one without a base is as it is */
	image__note(&im, "python", "audit", ARGS_A, code + 9, 0, sem);
	image__finish(&im, false, IMAGE_BASE_ADDRESS);
	b = open_image(&im, "python");
	assert_int_equal(b->sites_cnt, 2);
	assert_int_equal(b->sites[0].address, code + 7);
	assert_int_equal(b->sites[0].offset, IMAGE_CODE + 7);
	assert_int_equal(b->sites[0].semaphore, IMAGE_SEM);
	assert_int_equal(b->sites[1].offset, IMAGE_CODE + 9);
	binary__free(b);
}

static void check_args(unsigned machine, const char *text, size_t cnt, struct pt_arg a,
                       struct pt_arg b)
{
	struct pt_arg out[2] = {{0}};

	assert_int_equal(usdt__parse_args(machine, text, out, 2), cnt);
	if (memcmp(&out[0], &a, sizeof(a)) || memcmp(&out[1], &b, sizeof(b)))
		fail_msg("\"%s\": kind %d reg %d size %d value %lld; kind %d reg %d size %d", text,
		         out[0].kind, out[0].reg, out[0].size, (long long)out[0].value, out[1].kind,
		         out[1].reg, out[1].size);
}

#define REG(r, s)      ((struct pt_arg){.kind = PT_ARG_REG, .reg = (r), .size = (s)})
#define SREG(r, s)     ((struct pt_arg){.kind = PT_ARG_REG, .reg = (r), .size = (s), .is_signed = 1})
#define DEREF(r, s, v) ((struct pt_arg){PT_ARG_REG_DEREF, (r), (s), 0, 0, (v)})
#define CONST(s, v)    ((struct pt_arg){PT_ARG_CONST, 0, (s), 0, 0, (v)})
#define NONE(s)        ((struct pt_arg){.size = (s)})

static void test_args_x86(void **state)
{
	const unsigned m = EM_X86_64;

	check_args(m, "8@%rbx 8@%r15", 2, REG(3, 8), REG(15, 8));
	check_args(m, "-4@-8(%rbp) 8@$5", 2, ((struct pt_arg){PT_ARG_REG_DEREF, 6, 4, 1, 0, -8}),
	           CONST(8, 5));
	check_args(m, "8@(%rax) 8@120(%rsp)", 2, DEREF(0, 8, 0), DEREF(7, 8, 120));
	check_args(m, "-4@%r12d 1@%sil", 2, SREG(12, 4), REG(4, 1));
	check_args(m, "2@%ax 1@%r9b", 2, REG(0, 2), REG(9, 1));
	check_args(m, "  8@$-1   8@$18446744073709551615 ", 2, CONST(8, -1), CONST(8, -1));
	check_args(m, "8@$0x10 8@%rdi 8@%rsi", 3, CONST(8, 16), REG(5, 8));
	check_args(m, "", 0, NONE(0), NONE(0));
	check_args(m, "8@(%rdi,%rax,8) 8@sym+4(%rip)", 2, NONE(8), NONE(8));
	check_args(m, "8@%r16 8@%r7", 2, NONE(8), NONE(8));
	check_args(m, "8@%ah 8@%xmm0", 2, NONE(8), NONE(8));
	check_args(m, "3@%rax 16@%rax", 2, NONE(0), NONE(0));
	check_args(m, "%rax @%rax", 2, NONE(0), NONE(0));
	check_args(m, "8@ 8@$", 2, NONE(8), NONE(8));
	check_args(m, "8@( 8@(%", 1, NONE(8), NONE(0));
	check_args(m, "8@$1x 8@$99999999999999999999", 2, NONE(8), NONE(8));
	check_args(m, "8@8(%rbp 8@x0", 1, NONE(8), NONE(0));
	check_args(m, "8@x0 8@[sp]", 2, NONE(8), NONE(8));
}

static void test_args_arm64(void **state)
{
	const unsigned m = EM_AARCH64;

	check_args(m, "8@x0 8@[sp, 16]", 2, REG(0, 8), DEREF(31, 8, 16));
	check_args(m, "8@[x19] 8@5", 2, DEREF(19, 8, 0), CONST(8, 5));
	check_args(m, "-4@w30 -8@-7", 2, SREG(30, 4),
	           ((struct pt_arg){PT_ARG_CONST, 0, 8, 1, 0, -7}));
	check_args(m, "8@[x29, -24] 4@[sp,8]", 2, DEREF(29, 8, -24), DEREF(31, 4, 8));
	check_args(m, "8@sp 8@x31", 2, REG(31, 8), NONE(8));
	check_args(m, "8@[x0, x1] 8@[x0, 8", 2, NONE(8), NONE(8));
	check_args(m, "8@[] 8@[x40]", 2, NONE(8), NONE(8));
	check_args(m, "8@x 8@%rax", 2, NONE(8), NONE(8));
	check_args(m, "8@[x0,] 8@x05", 2, NONE(8), NONE(8));
	check_args(EM_RISCV, "8@a0 8@x0", 2, NONE(8), NONE(8));
}

static void test_note_bytes(void **state)
{
	struct image im;
	struct usdt_note note;

	image__init(&im);
	image__note(&im, "python", "audit", ARGS_A, 1, 2, 3);
	image__note(&im, "python", "line", "", 4, 5, 6);
	/* Whatever is cut off, no more notes come out than are whole. */
	for (size_t len = 0; len <= im.notes; len++) {
		uint8_t *copy = malloc(len ? len : 1);
		struct usdt_iter it = {.data = copy, .len = len};
		size_t cnt = 0;

		assert_non_null(copy);
		memcpy(copy, im.data + IMAGE_NOTES, len);
		while (usdt_iter__next(&it, &note)) {
			assert_string_equal(note.provider, "python");
			cnt++;
		}
		assert_true(cnt <= 2 && (len == im.notes) <= (cnt == 2));
		free(copy);
	}
}

static void check_version(struct image *im, const char *path, const char *text, bool ft)
{
	struct binary *b;

	image__finish(im, true, IMAGE_BASE_ADDRESS);
	b = open_image(im, path);
	assert_string_equal(b->py_version_text, text);
	assert_int_equal(b->free_threaded, ft);
	binary__free(b);
}

static void set_debug_offsets(struct image *im, uint64_t version, uint64_t ft)
{
	image__put(im, IMAGE_RUNTIME, "xdebugpy", 8);
	image__put(im, IMAGE_RUNTIME + 8, &version, 8);
	image__put(im, IMAGE_RUNTIME + 16, &ft, 8);
}

static void test_versions(void **state)
{
	struct image im;

	/* the object, whatever else is said */
	image__init(&im);
	add_api(&im, 11);
	set_version(&im, 0x030f00b1);
	image__rodata(&im, "3.9.1");
	check_version(&im, "/usr/bin/python3.12", "3.15.0b1", false);

	/* the debug offsets; only they tell of the flavour */
	image__init(&im);
	add_api(&im, 10);
	set_debug_offsets(&im, 0x030e00f0, 1);
	check_version(&im, "python", "3.14.0", true);
	image__init(&im);
	add_api(&im, 11);
	set_version(&im, 0x030d05f0);
	set_debug_offsets(&im, 0x030d05f0, 0);
	check_version(&im, "python3.13t", "3.13.5", false);

	/* functions and the string */
	image__init(&im);
	add_api(&im, 9);
	image__rodata(&im, "3.10.1");
	image__rodata(&im, "3.9.18+");
	image__rodata(&im, "not 3.9.7");
	check_version(&im, "python3.9", "3.9.18", false);
	image__init(&im);
	add_api(&im, 8);
	image__rodata(&im, "/opt/python-3.8.20");
	check_version(&im, "python", "3.8.20", false);

	/* two strings: which is it? */
	image__init(&im);
	add_api(&im, 9);
	image__rodata(&im, "3.9.1");
	image__rodata(&im, "3.9.2");
	check_version(&im, "python", "3.9", false);

	/* nonsense in the object */
	image__init(&im);
	add_api(&im, 11);
	set_version(&im, ~0ull);
	check_version(&im, "/opt/3.7/bin/python3.13t", "3.13", true);
	image__init(&im);
	add_api(&im, 11);
	set_version(&im, 0);
	check_version(&im, "python", "", false);
}

static void test_version_text(void **state)
{
	static const struct {
		const char *text;
		uint32_t hex;
	} cases[] = {
		{"3.8.0", 0x030800f0},
		{"3.15.0b1", 0x030f00b1},
		{"3.14.0rc2", 0x030e00c2},
		{"3.9.18+", 0x030912f0},
		{"3.13.0a10", 0x030d00aa},
		{"3.9", 0},
		{"2.7.18", 0},
		{"3.9.256", 0},
		{"3.9.1.2", 0},
		{"3.9.1b", 0},
		{"3.9.1b16", 0},
		{"3..1", 0},
		{"", 0},
		{"3.9.1 ", 0},
		{"3.0009.1", 0},
	};
	char text[32];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(py_version__parse(cases[i].text), cases[i].hex);
	py_version__format(0x030e00c2, text, sizeof(text));
	assert_string_equal(text, "3.14.0rc2");
	py_version__format(0x030d0000, text, sizeof(text));
	assert_string_equal(text, "3.13");
	py_version__format(0, text, sizeof(text));
	assert_string_equal(text, "");
}

static void test_no_sections(void **state)
{
	for (int gnu = 0; gnu < 2; gnu++) {
		struct image im;
		struct binary *b;
		int fd;

		image__init(&im);
		add_api(&im, 11);
		set_version(&im, 0x030b02f0);
		/* The strings are right behind the symbols only when the table is full. */
		while (IMAGE_DYNSYM + im.symbols * sizeof(Elf64_Sym) + sizeof(Elf64_Sym) <=
		       IMAGE_DYNSTR)
			image__symbol(&im, "x", 1, true);
		image__finish(&im, gnu, 0);
		fd = image__fd(im.data, IMAGE_SIZE);
		assert_true(binary__is_candidate(fd));
		close(fd);
		b = open_image(&im, "x");
		assert_string_equal(b->py_version_text, "3.11.2");
		assert_int_equal(b->known[PT_KNOWN_NONE], 0x605010);
		assert_int_equal(b->sites_cnt, 0);
		binary__free(b);
	}
}

static void test_refused(void **state)
{
	struct image im;
	int fds[2], fd;
	struct binary *b;

	image__init(&im);
	image__symbol(&im, "PySys_Audit", 0, false); /* as in an extension module */
	image__finish(&im, true, IMAGE_BASE_ADDRESS);
	assert_int_equal(error_of(&im), -ENOEXEC);
	fd = image__fd(im.data, IMAGE_SIZE);
	assert_false(binary__is_candidate(fd));
	close(fd);

	image__init(&im);
	add_api(&im, 11);
	image__finish(&im, true, IMAGE_BASE_ADDRESS);
	assert_int_equal(error_of(&im), 0);
	((Elf64_Ehdr *)im.data)->e_machine = EM_386;
	assert_int_equal(error_of(&im), -ENOEXEC);
	((Elf64_Ehdr *)im.data)->e_machine = IMAGE_MACHINE;
	im.data[EI_CLASS] = ELFCLASS32;
	assert_int_equal(error_of(&im), -ENOEXEC);
	im.data[EI_CLASS] = ELFCLASS64;
	((Elf64_Ehdr *)im.data)->e_type = ET_CORE;
	assert_int_equal(error_of(&im), -ENOEXEC);

	assert_int_equal(pipe(fds), 0);
	close(fds[1]);
	assert_int_equal(binary__open(fds[0], "pipe", &b), -ENOEXEC);
	assert_int_equal(binary__open(image__fd("", 0), "empty", &b), -ENOEXEC);
	assert_int_equal(binary__open(image__fd("#!/bin/sh\n", 10), "script", &b), -ENOEXEC);
}

static void test_bias(void **state)
{
	uint64_t bias = 0;
	struct image im;
	struct binary *b;

	image__init(&im);
	add_api(&im, 11);
	image__finish(&im, true, IMAGE_BASE_ADDRESS);
	b = open_image(&im, "x");
	assert_true(binary__bias(b, 0x7f0000000000 + IMAGE_TEXT_ADDRESS, 0, &bias));
	assert_int_equal(bias, 0x7f0000000000);
	assert_true(binary__bias(b, IMAGE_TEXT_ADDRESS, 0, &bias));
	assert_int_equal(bias, 0);
	assert_false(binary__bias(b, 0x10000, 0x100000, &bias));
	binary__free(b);
}

/* Everything is looked at; what comes of it does not matter. */
static void look(const uint8_t *data, size_t len)
{
	struct binary *b = NULL;
	int fd = image__fd(data, len);

	assert_true(fd >= 0);
	binary__is_candidate(fd);
	if (!binary__open(fd, "python3.9", &b)) {
		for (size_t i = 0; i < b->sites_cnt; i++)
			assert_true(b->sites[i].offset < len && b->sites[i].semaphore < len);
		assert_true(b->sites_cnt <= BINARY_SITES_MAX);
		assert_true(b->segments_cnt <= BINARY_SEGMENTS_MAX);
	}
	binary__free(b);
}

static void full_image(struct image *im, bool gnu)
{
	image__init(im);
	add_api(im, 11);
	set_version(im, 0x030b02f0);
	image__rodata(im, "3.9.1");
	for (uint64_t i = 0; i < 5; i++)
		image__note(im, "python", "audit", i & 1 ? ARGS_A : ARGS_B,
		            IMAGE_IN_TEXT(IMAGE_CODE) + i, IMAGE_BASE_ADDRESS,
		            IMAGE_IN_DATA(IMAGE_SEM));
	image__finish(im, gnu, IMAGE_BASE_ADDRESS);
}

static void test_every_prefix(void **state)
{
	struct image im;

	full_image(&im, true);
	for (size_t len = 0; len <= IMAGE_SIZE; len++)
		look(im.data, len);
}

/* A file of holes, whose tables can name the same bytes over and over. */
static void test_read_again_and_again(void **state)
{
	struct elf_file *e;
	struct image im;
	int fd, n = 0;
	void *data;

	full_image(&im, true);
	fd = image__fd(im.data, IMAGE_SIZE);
	assert_int_equal(ftruncate(fd, 1 << 30), 0);
	assert_int_equal(elf_file__open(fd, &e), 0);
	/* never that much at once */
	assert_null(elf_file__load(e, 0, ELF_FILE_LOAD_MAX + 1));
	while ((data = elf_file__load(e, 0, 16 << 20))) {
		free(data);
		n++;
	}
	assert_int_equal(errno, EFBIG);
	assert_int_equal(n, 31);
	for (n = 0; !elf_file__read(e, 0, &im, 1); n++)
		continue;
	assert_in_range(n, 1000, 10000);
	elf_file__close(e);
	/* each look begins anew */
	assert_true(binary__is_candidate(fd));
	close(fd);
}

/* Every field of 4 and of 8 bytes says what it should not. */
static void test_lies(void **state)
{
	static const uint64_t lies[] = {0,          1,          7,          IMAGE_SIZE, 0x7fffffff,
	                                0x80000000, 0xffffffff, ~0ull >> 1, ~0ull - 7,  ~0ull};
	struct image im, lying;

	for (int gnu = 0; gnu < 2; gnu++) {
		full_image(&im, gnu);
		for (size_t at = 0; at + 8 <= IMAGE_SIZE; at += 4) {
			static const uint8_t zero[8];

			if (!memcmp(im.data + at, zero, 8))
				continue;
			for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
				lying = im;
				memcpy(lying.data + at, &lies[i], 8);
				look(lying.data, IMAGE_SIZE);
				lying = im;
				memcpy(lying.data + at, &lies[i], 4);
				look(lying.data, IMAGE_SIZE);
			}
		}
	}
}

static void test_flips(void **state)
{
	struct image im, flipped;
	unsigned seed = 20251120;

	full_image(&im, true);
	for (int i = 0; i < 20000; i++) {
		int flips = 1 + rand_r(&seed) % 8;

		flipped = im;
		while (flips--) {
			/* mostly where there is something */
			size_t at = rand_r(&seed) % IMAGE_SIZE;

			for (size_t n = 0; n < 64 && !im.data[at % IMAGE_SIZE]; n++)
				at += 13;
			flipped.data[at % IMAGE_SIZE] ^= 1u << (rand_r(&seed) & 7);
		}
		look(flipped.data, IMAGE_SIZE);
	}
}

static void test_real_prefix(void **state)
{
	int fd = open("/bin/true", O_RDONLY | O_CLOEXEC);
	uint8_t *data;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || st.st_size > 1 << 18) {
		if (fd >= 0)
			close(fd);
		skip();
	}
	data = malloc(st.st_size);
	assert_non_null(data);
	assert_int_equal(read(fd, data, st.st_size), st.st_size);
	close(fd);
	for (size_t len = 0; len <= (size_t)st.st_size; len += len < 4096 ? 1 : 61)
		look(data, len);
	free(data);
}

/* What readelf says of the python:audit notes of a real one. */
static void test_readelf(void **state)
{
	static const char *const paths[] = {"/usr/bin/python3.9", "/usr/bin/python3.11",
	                                    "/usr/bin/python3.13", "/usr/bin/python3.14"};
	char command[256], line[1024];
	unsigned long long location, base, semaphore;

	for (size_t p = 0; p < sizeof(paths) / sizeof(paths[0]); p++) {
		struct binary *b = NULL;
		bool audit = false;
		size_t n = 0;
		FILE *f;

		if (access(paths[p], R_OK) || access("/usr/bin/readelf", X_OK))
			continue;
		assert_int_equal(binary__open(open(paths[p], O_RDONLY | O_CLOEXEC), paths[p], &b), 0);
		snprintf(command, sizeof(command), "/usr/bin/readelf -n %s", paths[p]);
		f = popen(command, "r");
		assert_non_null(f);
		while (fgets(line, sizeof(line), f)) {
			if (strstr(line, "Name: "))
				audit = strstr(line, "Name: audit\n");
			if (!audit || sscanf(line, " Location: %llx, Base: %llx, Semaphore: %llx",
			                     &location, &base, &semaphore) != 3)
				continue;
			assert_true(n < b->sites_cnt);
			assert_int_equal(b->sites[n].address, location);
			assert_true(!semaphore == !b->sites[n].semaphore);
			assert_int_not_equal(b->sites[n].args[0].kind, PT_ARG_NONE);
			assert_int_not_equal(b->sites[n].args[1].kind, PT_ARG_NONE);
			n++;
		}
		pclose(f);
		assert_int_equal(n, b->sites_cnt);
		assert_int_not_equal(b->py_version, 0);
		for (size_t i = 0; i <= PT_KNOWN_TYPE; i++)
			assert_int_not_equal(b->known[i], 0);
		binary__free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sites),
		cmocka_unit_test(test_many_sites),
		cmocka_unit_test(test_prelink),
		cmocka_unit_test(test_args_x86),
		cmocka_unit_test(test_args_arm64),
		cmocka_unit_test(test_note_bytes),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_version_text),
		cmocka_unit_test(test_no_sections),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bias),
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_read_again_and_again),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_flips),
		cmocka_unit_test(test_real_prefix),
		cmocka_unit_test(test_readelf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
