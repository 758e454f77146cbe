/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The files of timeline/, as they are in the program; each ends with a zero.
 */
#ifndef RUN_TIMELINE_H
#define RUN_TIMELINE_H

extern const char timeline_index[], timeline_index_end[];
extern const char timeline_style[], timeline_style_end[];
extern const char timeline_decode[], timeline_decode_end[];
extern const char timeline_view[], timeline_view_end[];
extern const char timeline_main[], timeline_main_end[];

#endif /* RUN_TIMELINE_H */
