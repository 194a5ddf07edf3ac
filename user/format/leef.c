// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The `leef` format: the Log Event Extended Format 2.0 of QRadar, without a syslog header. Keys are
 * its predefined attributes where it has them; the others are ours.
 */
#include "line.h"
#include "when.h"
#include "../util/buf.h"

static const char *const keys[LINE_KEYS] = {
	[LINE_ID] = "id=",
	[LINE_SEQUENCE] = "sequence=",
	[LINE_CATEGORY] = "cat=",
	[LINE_ACTION] = "action=",
	[LINE_HOST] = "identHostName=",
	[LINE_PID] = "pid=",
	[LINE_PPID] = "ppid=",
	[LINE_TID] = "tid=",
	[LINE_UID] = "usrName=",
	[LINE_EUID] = "effectiveUid=",
	[LINE_COMM] = "process=",
	[LINE_EXE] = "executable=",
	[LINE_COMMAND_LINE] = "commandLine=",
	[LINE_ENTITY] = "processEntityId=",
	[LINE_CONTAINER] = "containerId=",
	[LINE_FILE_PATH] = "resource=",
	[LINE_FILE_NAME] = "fileName=",
	[LINE_OLD_PATH] = "sourcePath=",
	[LINE_DST_IP] = "dst=",
	[LINE_DST_HOST] = "dstHost=",
	[LINE_DST_PORT] = "dstPort=",
	[LINE_URL] = "url=",
	[LINE_METHOD] = "method=",
	[LINE_CHILD_EXE] = "childExecutable=",
	[LINE_CHILD_COMMAND_LINE] = "childCommandLine=",
	[LINE_TARGET_PID] = "targetPid=",
	[LINE_TECHNIQUE] = "attackTechnique=",
	[LINE_ARGS] = "args=",
	[LINE_NOTES] = "notes=",
	[LINE_PYTHON] = "pythonVersion=",
	[LINE_REASON] = "reason=",
	[LINE_COUNT] = "count=",
	[LINE_MESSAGE] = "msg=",
	[LINE_OUTPUT] = "output=",
};

static void head(struct buf *out, const char *code, size_t code_len, const char *action,
                 unsigned severity, int64_t realtime_ns)
{
	char when[WHEN_UTC_LEN];

	buf__lit(out, "LEEF:2.0|pytrail|pytrail|" PYTRAIL_VERSION "|");
	line_text__put(out, LINE_LEEF_HEADER, code, code_len);
	/* milliseconds are all that its format has, in terms of Java's SimpleDateFormat */
	when__utc(when, realtime_ns);
	buf__lit(out, "|x09|devTime=");
	buf__append(out, when, 23);
	buf__lit(out, "+0000\tdevTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ\tsev=");
	buf__u64(out, line__severity(severity));
}

static void render(struct process_parts *p, const struct pt_task *task, const struct process *facts,
                   const struct format_context *ctx);

static const struct line_dialect dialect = {keys,   '\t', LINE_LEEF_VALUE, PROCESS_CACHE_LEEF,
                                            render, head};

static void render(struct process_parts *p, const struct pt_task *task, const struct process *facts,
                   const struct format_context *ctx)
{
	line__process(&dialect, p, task, facts, ctx);
}

static void leef_event(struct buf *out, const struct event *ev, const struct format_context *ctx)
{
	line__event(&dialect, out, ev, ctx);
}

static void leef_process(struct buf *out, const struct pt_rec *rec, const char *what,
                         const struct process *facts, uint64_t seq, const struct format_context *ctx)
{
	line__process_record(&dialect, out, rec, what, facts, seq, ctx);
}

static void leef_lost(struct buf *out, const struct pt_lost *lost, uint64_t seq,
                      const struct format_context *ctx)
{
	line__lost(&dialect, out, lost, seq, ctx);
}

static void leef_alert(struct buf *out, const struct alert *alert, uint64_t seq,
                       const struct format_context *ctx)
{
	line__alert(&dialect, out, alert, seq, ctx);
}

const struct format format_leef = {"leef", leef_event, leef_process, leef_lost, NULL, leef_alert};
