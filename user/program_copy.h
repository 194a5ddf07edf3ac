/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A program of the BPF object that is loaded after the others, in a second copy of the object:
 * libbpf loads the programs of one all at once. The copy has the same constants, and shares every
 * other map.
 */
#ifndef PYTRAIL_PROGRAM_COPY_H
#define PYTRAIL_PROGRAM_COPY_H

struct bpf_program;
struct pytrail_bpf;

/*
 * Loads prog, of copy (opened, not loaded, its constants set), and nothing else of it. from:
 * loaded, only read. 0, or -errno; the copy is the caller's either way.
 */
int program_copy__load(struct pytrail_bpf *copy, const struct pytrail_bpf *from,
                       struct bpf_program *prog);

#endif
