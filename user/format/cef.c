// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The `cef` format: the Common Event Format of ArcSight, revision 26, without a syslog header,
 * which is the transport's. Keys are those of its dictionary; what it has none for is in the custom
 * strings, labelled.
 */
#include "line.h"
#include "../util/buf.h"

static const char *const keys[LINE_KEYS] = {
	[LINE_ID] = "externalId=",
	[LINE_SEQUENCE] = "cn1Label=sequence cn1=",
	[LINE_CATEGORY] = "cat=",
	[LINE_ACTION] = "act=",
	[LINE_HOST] = "dvchost=",
	[LINE_PID] = "spid=",
	[LINE_PPID] = "cn2Label=parentProcessId cn2=",
	[LINE_TID] = "cn3Label=threadId cn3=",
	[LINE_UID] = "suid=",
	[LINE_EUID] = "duid=",
	[LINE_COMM] = "sproc=",
	[LINE_EXE] = "deviceProcessName=",
	[LINE_COMMAND_LINE] = "cs2Label=commandLine cs2=",
	[LINE_ENTITY] = "cs3Label=processEntityId cs3=",
	[LINE_CONTAINER] = "cs4Label=containerId cs4=",
	[LINE_FILE_PATH] = "filePath=",
	[LINE_FILE_NAME] = "fname=",
	[LINE_OLD_PATH] = "oldFilePath=",
	[LINE_DST_IP] = "dst=",
	[LINE_DST_HOST] = "dhost=",
	[LINE_DST_PORT] = "dpt=",
	[LINE_URL] = "request=",
	[LINE_METHOD] = "requestMethod=",
	[LINE_CHILD_EXE] = "dproc=",
	[LINE_CHILD_COMMAND_LINE] = "flexString1Label=childCommandLine flexString1=",
	[LINE_TARGET_PID] = "dpid=",
	[LINE_TECHNIQUE] = "cs5Label=attackTechnique cs5=",
	[LINE_ARGS] = "cs1Label=args cs1=",
	[LINE_NOTES] = "cs6Label=notes cs6=",
	[LINE_PYTHON] = "flexString2Label=pythonVersion flexString2=",
	[LINE_REASON] = "reason=",
	[LINE_COUNT] = "cnt=",
	[LINE_MESSAGE] = "msg=",
	[LINE_OUTPUT] = "destinationServiceName=",
};

static void head(struct buf *out, const char *code, size_t code_len, const char *action,
                 unsigned severity, int64_t realtime_ns)
{
	buf__lit(out, "CEF:0|pytrail|pytrail|" PYTRAIL_VERSION "|");
	line_text__put(out, LINE_CEF_HEADER, code, code_len);
	buf__char(out, '|');
	buf__str(out, action);
	buf__char(out, '|');
	buf__u64(out, line__severity(severity));
	buf__lit(out, "|rt=");
	buf__u64(out, realtime_ns > 0 ? (uint64_t)realtime_ns / 1000000 : 0);
}

static void render(struct process_parts *p, const struct pt_task *task, const struct process *facts,
                   const struct format_context *ctx);

static const struct line_dialect dialect = {keys,   ' ', LINE_CEF_VALUE, PROCESS_CACHE_CEF,
                                            render, head};

static void render(struct process_parts *p, const struct pt_task *task, const struct process *facts,
                   const struct format_context *ctx)
{
	line__process(&dialect, p, task, facts, ctx);
}

static void cef_event(struct buf *out, const struct event *ev, const struct format_context *ctx)
{
	line__event(&dialect, out, ev, ctx);
}

static void cef_process(struct buf *out, const struct pt_rec *rec, const char *what,
                        const struct process *facts, uint64_t seq, const struct format_context *ctx)
{
	line__process_record(&dialect, out, rec, what, facts, seq, ctx);
}

static void cef_lost(struct buf *out, const struct pt_lost *lost, uint64_t seq,
                     const struct format_context *ctx)
{
	line__lost(&dialect, out, lost, seq, ctx);
}

static void cef_alert(struct buf *out, const struct alert *alert, uint64_t seq,
                      const struct format_context *ctx)
{
	line__alert(&dialect, out, alert, seq, ctx);
}

const struct format format_cef = {"cef", cef_event, cef_process, cef_lost, NULL, cef_alert};
