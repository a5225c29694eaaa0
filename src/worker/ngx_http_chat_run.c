
#include "ngx_http_chat_run.h"
#include "ngx_http_chat_presence.h"

#include "chat_amend.h"


#define NGX_HTTP_CHAT_RUN_FIRST    1024     /* a run's first buffer, bytes */
#define NGX_HTTP_CHAT_RUN_SPARES   32       /* kept for the next walk */
#define NGX_HTTP_CHAT_FORMS        256


static ngx_http_chat_run_t *ngx_http_chat_run_find(
    ngx_http_chat_local_t *local, ngx_http_chat_member_t *m);
static ngx_http_chat_run_t *ngx_http_chat_run_take(
    ngx_http_chat_local_t *local);
static ngx_int_t ngx_http_chat_run_extend(ngx_http_chat_local_t *local,
    ngx_http_chat_run_t *run, size_t max, ngx_http_chat_missed_t *missed);
static void ngx_http_chat_run_skip(ngx_http_chat_run_t *run,
    ngx_http_chat_missed_t *missed, ngx_http_chat_room_view_t *view);
static ngx_int_t ngx_http_chat_run_frame(ngx_http_chat_run_t *run,
    u_char *text, size_t len);
static ngx_int_t ngx_http_chat_run_entry(ngx_http_chat_run_t *run,
    ngx_http_chat_entry_t *e, u_char *text);
static u_char *ngx_http_chat_run_amended(ngx_http_chat_entry_t *e,
    u_char *text);
static ngx_int_t ngx_http_chat_run_room(ngx_http_chat_run_t *run, size_t len);
static void ngx_http_chat_run_spare(ngx_http_chat_run_t *run);
static void *ngx_http_chat_run_grow(void *old, size_t used, size_t size);


static struct {
    u_char                *buf;         /* entries as they are in the log */
    size_t                 size;
    u_char                *amended;     /* one of them, as it is now */
    size_t                 amended_size;
    ngx_queue_t            spares;
    ngx_uint_t             nspares;
    ngx_http_chat_run_t    without;
    ngx_http_chat_run_t    until;
    ngx_uint_t             nforms;
    ngx_http_chat_form_t   forms[NGX_HTTP_CHAT_FORMS];
} ngx_http_chat_runs;


ngx_int_t
ngx_http_chat_run_get(ngx_http_chat_local_t *local, ngx_http_chat_member_t *m,
    size_t max, ngx_http_chat_run_t **runp, ngx_http_chat_missed_t *missed)
{
    ngx_int_t             rc;
    ngx_http_chat_run_t  *run;

    run = ngx_http_chat_run_find(local, m);

    if (run) {

        if ((run->to.seq < local->next_seq
             || run->to.passing != local->passing)
            && run->len < max)
        {

            /* what is there is good even if no more can be added */

            (void) ngx_http_chat_run_extend(local, run, max - run->len,
                                            missed);
        }

        *runp = run;

        return NGX_OK;
    }

    run = ngx_http_chat_run_take(local);
    if (run == NULL) {
        return NGX_ERROR;
    }

    run->form = m->form;
    run->from = m->cursor;
    run->to = m->cursor;

    rc = ngx_http_chat_run_extend(local, run, max, missed);

    if (rc == NGX_BUSY || rc == NGX_DECLINED) {
        m->cursor = run->to;
    }

    if (rc != NGX_OK) {
        ngx_queue_remove(&run->queue);
        ngx_http_chat_run_spare(run);
        return rc;
    }

    *runp = run;

    return NGX_OK;
}


static ngx_http_chat_run_t *
ngx_http_chat_run_find(ngx_http_chat_local_t *local, ngx_http_chat_member_t *m)
{
    ngx_queue_t          *q;
    ngx_http_chat_run_t  *run;

    for (q = ngx_queue_head(&local->runs);
         q != ngx_queue_sentinel(&local->runs);
         q = ngx_queue_next(q))
    {
        run = ngx_queue_data(q, ngx_http_chat_run_t, queue);

        if (ngx_http_chat_cursor_same(&run->from, &m->cursor)
            && run->form == m->form)
        {
            return run;
        }
    }

    return NULL;
}


/* An empty run at the head of the room's; the oldest one if it has many. */

static ngx_http_chat_run_t *
ngx_http_chat_run_take(ngx_http_chat_local_t *local)
{
    ngx_uint_t            n;
    ngx_queue_t          *q;
    ngx_http_chat_run_t  *run;

    n = 0;

    for (q = ngx_queue_head(&local->runs);
         q != ngx_queue_sentinel(&local->runs);
         q = ngx_queue_next(q))
    {
        n++;
    }

    if (n >= NGX_HTTP_CHAT_RUNS) {
        q = ngx_queue_last(&local->runs);
        ngx_queue_remove(q);

    } else if (ngx_http_chat_runs.nspares) {
        q = ngx_queue_head(&ngx_http_chat_runs.spares);
        ngx_queue_remove(q);
        ngx_http_chat_runs.nspares--;

    } else {
        run = ngx_calloc(sizeof(ngx_http_chat_run_t), ngx_cycle->log);
        if (run == NULL) {
            return NULL;
        }

        q = &run->queue;
    }

    run = ngx_queue_data(q, ngx_http_chat_run_t, queue);

    run->len = 0;
    run->nmarks = 0;

    ngx_queue_insert_head(&local->runs, q);

    return run;
}


/*
 * Adds what the log has behind the run's last entry, about max bytes.  BUSY:
 * its cursor was behind a log's tail, and if the run is empty, was moved there.
 */

static ngx_int_t
ngx_http_chat_run_extend(ngx_http_chat_local_t *local,
    ngx_http_chat_run_t *run, size_t max, ngx_http_chat_missed_t *missed)
{
    size_t                      len;
    u_char                     *text;
    ngx_int_t                   rc;
    ngx_http_chat_cursor_t      to;
    ngx_http_chat_room_view_t   view;

    to = run->to;

    rc = ngx_http_chat_run_read(local, &to, max, &text, &len, &missed->from,
                                &view);
    if (rc != NGX_OK) {
        return rc;
    }

    missed->passing = ngx_http_chat_room_passed(&view, &run->to);

    if (missed->from || missed->passing) {

        if (run->len == 0) {
            missed->users = view.users;
            ngx_http_chat_run_skip(run, missed, &view);
        }

        return NGX_BUSY;
    }

    if (len && ngx_http_chat_run_frame(run, text, len) != NGX_OK) {
        return NGX_ERROR;
    }

    run->to = to;

    if (len == 0) {
        return NGX_DECLINED;
    }

    run->marks[run->nmarks - 1].after = to;

    return NGX_OK;
}


static void
ngx_http_chat_run_skip(ngx_http_chat_run_t *run,
    ngx_http_chat_missed_t *missed, ngx_http_chat_room_view_t *view)
{
    if (missed->from) {
        run->to.seq = view->first_seq;
        run->to.block = 0;
    }

    if (missed->passing) {
        run->to.passing = view->first_passing;
    }
}


ngx_int_t
ngx_http_chat_run_read(ngx_http_chat_local_t *local,
    ngx_http_chat_cursor_t *cursor, size_t max, u_char **buf, size_t *len,
    uint64_t *gap, ngx_http_chat_room_view_t *view)
{
    size_t                   need;
    u_char                  *p;
    ngx_int_t                rc;
    ngx_http_chat_cursor_t   from;

    from = *cursor;

    for ( ;; ) {

        if (ngx_http_chat_runs.size < max) {
            p = ngx_http_chat_run_grow(ngx_http_chat_runs.buf, 0, max);
            if (p == NULL) {
                return NGX_ERROR;
            }

            ngx_http_chat_runs.buf = p;
            ngx_http_chat_runs.size = max;
        }

        rc = ngx_http_chat_room_read(local->zone,
                                     ngx_http_chat_local_room(local),
                                     local->epoch, cursor,
                                     ngx_http_chat_runs.buf, max, len, &need,
                                     gap, view);

        if (rc != NGX_DECLINED) {
            break;
        }

        *cursor = from;
        max = need;
    }

    if (rc == NGX_OK) {
        ngx_http_chat_run_seen(local, view);
    }

    *buf = ngx_http_chat_runs.buf;

    return rc == NGX_ERROR ? NGX_ABORT : rc;
}


/*
 * Who was expelled must be known before the entries behind that are sent: the
 * change comes to be with its entry, and so is in the view with it.
 */

void
ngx_http_chat_run_seen(ngx_http_chat_local_t *local,
    ngx_http_chat_room_view_t *view)
{
    local->next_seq = ngx_max(local->next_seq, view->next_seq);
    local->passing = view->head.passing;

    if (local->changes != view->changes) {
        local->changes = view->changes;
        ngx_http_chat_presence_changes(local);
    }
}


static ngx_int_t
ngx_http_chat_run_frame(ngx_http_chat_run_t *run, u_char *text, size_t len)
{
    u_char                *last;
    uint32_t               own;
    ngx_http_chat_mark_t  *mark;
    ngx_http_chat_entry_t  e;

    last = text + len;

    while (text < last) {
        ngx_memcpy(&e, text, sizeof(e));
        text += sizeof(e);

        own = e.len;

        if (ngx_http_chat_run_entry(run, &e, text) != NGX_OK) {
            return NGX_ERROR;
        }

        text += own;

        mark = &run->marks[run->nmarks++];

        mark->end = run->len;
        mark->sender = e.sender;
        mark->after.seq = e.seq + 1;
        mark->after.block = e.after_block;
        mark->after.off = e.after_off;
        mark->after.passing = run->to.passing;

        if (e.flags & NGX_HTTP_CHAT_ENTRY_PASSING) {
            mark->after.seq = e.seq;
            mark->after.passing = (uint16_t) e.sender;
        }

        run->to = mark->after;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_run_entry(ngx_http_chat_run_t *run, ngx_http_chat_entry_t *e,
    u_char *text)
{
    u_char                *p;
    ngx_http_chat_form_t  *form;

    if (ngx_http_chat_entry_amended(e)) {
        text = ngx_http_chat_run_amended(e, text);

        if (text == NULL) {
            return NGX_ERROR;
        }
    }

    form = &ngx_http_chat_runs.forms[run->form];

    if (ngx_http_chat_run_room(run, form->transport->bound(form, e->len))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = form->transport->frame(form, run->buf + run->len, e, text);
    if (p == NULL) {
        return NGX_ERROR;
    }

    run->len = p - run->buf;

    return NGX_OK;
}


/* The text that an amended entry has now, and its length; NULL: no memory. */

static u_char *
ngx_http_chat_run_amended(ngx_http_chat_entry_t *e, u_char *text)
{
    size_t              own, size;
    u_char             *p;
    chat_json_writer_t  w;

    if (e->sender == 0 || e->sender > e->len) {
        return text;
    }

    size = chat_amend_bound(e->len);

    if (ngx_http_chat_runs.amended_size < size) {
        p = ngx_http_chat_run_grow(ngx_http_chat_runs.amended, 0, size);
        if (p == NULL) {
            return NULL;
        }

        ngx_http_chat_runs.amended = p;
        ngx_http_chat_runs.amended_size = size;
    }

    own = e->len - e->sender;

    chat_json_begin(&w, ngx_http_chat_runs.amended, size);

    if (chat_amend(&w, text, own, text + own, e->sender,
                   e->flags & NGX_HTTP_CHAT_ENTRY_DELETED)
        != 0)
    {
        e->len = (uint32_t) own;
        return text;
    }

    e->len = (uint32_t) (w.pos - w.start);

    return w.start;
}


/* Room for len more bytes and one more mark. */

static ngx_int_t
ngx_http_chat_run_room(ngx_http_chat_run_t *run, size_t len)
{
    void    *p;
    size_t   size;

    if (run->size - run->len < len) {
        size = ngx_max(run->size, NGX_HTTP_CHAT_RUN_FIRST);

        while (size - run->len < len) {
            size *= 2;
        }

        p = ngx_http_chat_run_grow(run->buf, run->len, size);
        if (p == NULL) {
            return NGX_ERROR;
        }

        run->buf = p;
        run->size = size;
    }

    if (run->nmarks == run->marks_size) {
        size = ngx_max(2 * run->marks_size, 16);

        p = ngx_http_chat_run_grow(run->marks,
                              run->nmarks * sizeof(ngx_http_chat_mark_t),
                              size * sizeof(ngx_http_chat_mark_t));
        if (p == NULL) {
            return NGX_ERROR;
        }

        run->marks = p;
        run->marks_size = size;
    }

    return NGX_OK;
}


/* A larger copy of a buffer, in its place; NULL: no memory, the old one is
 * still there, for a run may have bytes in it that others are sent. */

static void *
ngx_http_chat_run_grow(void *old, size_t used, size_t size)
{
    void  *p;

    p = ngx_alloc(size, ngx_cycle->log);
    if (p == NULL) {
        return NULL;
    }

    if (used) {
        ngx_memcpy(p, old, used);
    }

    if (old) {
        ngx_free(old);
    }

    return p;
}


ngx_http_chat_run_t *
ngx_http_chat_run_without(ngx_http_chat_run_t *run, uint32_t sender)
{
    size_t                 from, len;
    ngx_uint_t             i;
    ngx_http_chat_mark_t  *mark;
    ngx_http_chat_run_t   *out;

    out = &ngx_http_chat_runs.without;

    out->form = run->form;
    out->from = run->from;
    out->to = run->to;
    out->len = 0;
    out->nmarks = 0;

    from = 0;

    for (i = 0; i < run->nmarks; i++) {
        mark = &run->marks[i];
        len = mark->end - from;

        if (mark->sender != sender) {

            if (ngx_http_chat_run_room(out, len) != NGX_OK) {
                return NULL;
            }

            ngx_memcpy(out->buf + out->len, run->buf + from, len);
            out->len += len;

            out->marks[out->nmarks] = *mark;
            out->marks[out->nmarks++].end = out->len;
        }

        from = mark->end;
    }

    return out;
}


ngx_http_chat_run_t *
ngx_http_chat_run_until(ngx_http_chat_run_t *run, uint64_t seq)
{
    ngx_uint_t            i;
    ngx_http_chat_run_t  *out;

    if (run->from.seq > seq || run->to.seq <= seq) {
        return NULL;
    }

    for (i = 0; run->marks[i].after.seq <= seq; i++) { /* void */ }

    out = &ngx_http_chat_runs.until;

    *out = *run;

    out->nmarks = i + 1;
    out->len = run->marks[i].end;
    out->to = run->marks[i].after;

    return out;
}


ngx_uint_t
ngx_http_chat_run_entries(ngx_http_chat_run_t *run, size_t n)
{
    ngx_uint_t  low, high, middle;

    low = 0;
    high = run->nmarks;

    while (low < high) {
        middle = (low + high) / 2;

        if (run->marks[middle].end <= n) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low;
}


void
ngx_http_chat_run_release(ngx_http_chat_local_t *local)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&local->runs)) {
        q = ngx_queue_head(&local->runs);
        ngx_queue_remove(q);

        ngx_http_chat_run_spare(ngx_queue_data(q, ngx_http_chat_run_t, queue));
    }
}


static void
ngx_http_chat_run_spare(ngx_http_chat_run_t *run)
{
    if (ngx_http_chat_runs.nspares < NGX_HTTP_CHAT_RUN_SPARES
        && run->buf
        && run->size <= 2 * NGX_HTTP_CHAT_RUN_SIZE)
    {
        if (ngx_http_chat_runs.nspares++ == 0) {
            ngx_queue_init(&ngx_http_chat_runs.spares);
        }

        ngx_queue_insert_head(&ngx_http_chat_runs.spares, &run->queue);

        return;
    }

    if (run->buf) {
        ngx_free(run->buf);
    }

    if (run->marks) {
        ngx_free(run->marks);
    }

    ngx_free(run);
}


ngx_int_t
ngx_http_chat_run_form(const ngx_http_chat_transport_t *transport,
    uintptr_t param)
{
    ngx_uint_t             i;
    ngx_http_chat_form_t  *form;

    for (i = 0; i < ngx_http_chat_runs.nforms; i++) {
        form = &ngx_http_chat_runs.forms[i];

        if (form->transport == transport && form->param == param) {
            return i;
        }
    }

    if (i == NGX_HTTP_CHAT_FORMS) {
        return -1;
    }

    form = &ngx_http_chat_runs.forms[i];

    form->transport = transport;
    form->param = param;
    form->state = NULL;

    ngx_http_chat_runs.nforms++;

    return i;
}


ngx_http_chat_form_t *
ngx_http_chat_run_form_of(ngx_uint_t form)
{
    return &ngx_http_chat_runs.forms[form];
}
