/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the JSON formats of SIEMs say of a process alike; strings without lone surrogates
 * (json.h). */
#ifndef PYTRAIL_PROCESS_TEXT_H
#define PYTRAIL_PROCESS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct call_site;
struct fields_command;
struct process;

/* A member: its name, as it stands in the record with comma and colon, and a string. NULL:
 * nothing. */
void process_text__member(struct buf *out, const char *name, const char *s, size_t len);
/* Last component of a path. */
const char *process_text__base(const char *path);
/* `,"name":"python3"` of an executable's path. */
void process_text__name(struct buf *out, const char *exe);
/* NUL-separated arguments as one string, blanks between them, quotes included. */
void process_text__command_line(struct buf *out, const char *argv, size_t len);
/* `,"ancestry":[{"pid":1,"name":"init","executable":"/sbin/init"}]`; exe_name is that of the
 * last. */
void process_text__ancestry(struct buf *out, const struct process *facts, const char *exe_name);
/* The names of a process's container, "" when not known; see struct pt_process. */
enum process_name {
	PROCESS_NAME_CONTAINER,
	PROCESS_NAME_IMAGE,
	PROCESS_NAME_POD,
	PROCESS_NAME_NAMESPACE
};
const char *process_text__container(const struct process *facts, enum process_name which);
/* A member of one of them: nothing when it is not known. */
void process_text__container_member(struct buf *out, const char *name, const struct process *facts,
                                    enum process_name which);
/* `"probe":"usdt","version":"3.11.2","free_threaded":true`: members, of an interpreter. */
void process_text__interpreter(struct buf *out, uint32_t py_version, uint8_t probe,
                               bool free_threaded);
/* `,"script":"app.py","venv":"/srv/venv"`: what an interpreter runs. facts may be NULL. */
void process_text__python(struct buf *out, const struct process *facts);

/* `,"path":"/bin/id","name":"id"` of it, when it is known; exe_name is that of the first. */
void process_text__child_program(struct buf *out, const struct fields_command *c,
                                 const char *exe_name);
/* `,"call_site":{"address":"0x7f12","module":"libc.so.6",…}` */
void process_text__call_site(struct buf *out, const struct call_site *s);
/* The command line of a process that is to be started as one string, quotes included. */
void process_text__child_line(struct buf *out, const struct fields_command *c);

#endif
