
#include "ngx_http_chat_change.h"
#include "ngx_http_chat_inner.h"
#include "ngx_http_chat_occupant.h"


#define ngx_http_chat_intent(z, n)                                            \
    ((ngx_http_chat_intent_sh_t *) ngx_http_chat_block(z, n)->data)


static ngx_int_t ngx_http_chat_change_who(ngx_http_chat_zone_t *z, uint32_t n,
    ngx_http_chat_change_t *change, uint32_t *occupant);
static ngx_int_t ngx_http_chat_change_topic(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_settings_t *settings, uint32_t *block);
static ngx_int_t ngx_http_chat_change_person(ngx_http_chat_zone_t *z,
    uint32_t n, ngx_http_chat_intent_sh_t *in);
static ngx_int_t ngx_http_chat_change_expel(ngx_http_chat_zone_t *z,
    uint32_t n, ngx_http_chat_intent_sh_t *in);
static void ngx_http_chat_change_settings(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_intent_sh_t *in);


ngx_int_t
ngx_http_chat_change_prepare_locked(ngx_http_chat_zone_t *z, uint32_t n,
    ngx_http_chat_room_append_t *a)
{
    uint32_t                    o, topic, block;
    ngx_int_t                   rc;
    ngx_http_chat_room_sh_t    *room;
    ngx_http_chat_intent_sh_t  *in;

    room = ngx_http_chat_room(z, n);

    if (room->intent) {
        return NGX_AGAIN;
    }

    o = 0;
    topic = 0;

    if (a->change) {
        rc = ngx_http_chat_change_who(z, n, a->change, &o);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    block = ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_INTENT);
    if (block == 0) {
        return NGX_AGAIN;
    }

    if (a->settings
        && ngx_http_chat_change_topic(z, a->settings, &topic) != NGX_OK)
    {
        ngx_http_chat_block_free(z, block, block, 1);
        return NGX_AGAIN;
    }

    in = ngx_http_chat_intent(z, block);

    ngx_memzero(in, sizeof(ngx_http_chat_intent_sh_t));

    in->seq = ngx_http_chat_log_state(&room->log)->next_seq;
    in->occupant = o;
    in->topic = topic;

    if (a->change) {
        in->what = (uint8_t) a->change->what;
        in->until = a->change->until;
        in->role = (uint8_t) a->change->role;
    }

    if (a->settings) {
        in->given = (uint8_t) a->settings->given;
        in->flags = (uint8_t) a->settings->flags;
        in->slow = (uint32_t) a->settings->slow;
    }

    ngx_memory_barrier();

    room->intent = block;

    ngx_memory_barrier();

    return NGX_OK;
}


/* Who is away can be muted, banned and given a role, but not kicked. */

static ngx_int_t
ngx_http_chat_change_who(ngx_http_chat_zone_t *z, uint32_t n,
    ngx_http_chat_change_t *change, uint32_t *occupant)
{
    uint32_t                      o;
    ngx_http_chat_occupant_sh_t  *oc;

    if (change->what != NGX_HTTP_CHAT_CHANGE_KICK) {
        o = ngx_http_chat_occupant_get_locked(z, n, &change->user);

        *occupant = o;

        return o ? NGX_OK : NGX_AGAIN;
    }

    o = ngx_http_chat_occupant_find_locked(z, n, &change->user);

    if (o == 0) {
        return NGX_DECLINED;
    }

    oc = ngx_http_chat_occupant(z, o);

    if (!(oc->flags & NGX_HTTP_CHAT_OCCUPANT_COUNTED)
        && ngx_http_chat_occupant_here_locked(z, o) == 0)
    {
        return NGX_DECLINED;
    }

    *occupant = o;

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_change_topic(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_settings_t *settings, uint32_t *block)
{
    u_char    *p;
    uint16_t   len;
    uint32_t   n;

    if (!(settings->given & NGX_HTTP_CHAT_ROOM_TOPIC)
        || settings->topic.len == 0)
    {
        return NGX_OK;
    }

    n = ngx_http_chat_block_alloc(z, NGX_HTTP_CHAT_BLOCK_TOPIC);
    if (n == 0) {
        return NGX_DECLINED;
    }

    len = (uint16_t) ngx_min(settings->topic.len, NGX_HTTP_CHAT_TOPIC_MAX);

    p = ngx_http_chat_block(z, n)->data;

    p = ngx_cpymem(p, &len, sizeof(uint16_t));
    ngx_memcpy(p, settings->topic.data, len);

    *block = n;

    return NGX_OK;
}


ngx_uint_t
ngx_http_chat_change_is_sure(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room)
{
    return ngx_http_chat_intent(z, room->intent)->seq
           < ngx_http_chat_log_state(&room->log)->next_seq;
}


ngx_int_t
ngx_http_chat_change_apply_locked(ngx_http_chat_zone_t *z, uint32_t n)
{
    uint32_t                    block;
    ngx_http_chat_room_sh_t    *room;
    ngx_http_chat_intent_sh_t  *in;

    room = ngx_http_chat_room(z, n);
    block = room->intent;

    if (block == 0) {
        return NGX_OK;
    }

    in = ngx_http_chat_intent(z, block);

    if (ngx_http_chat_change_person(z, n, in) != NGX_OK) {
        return NGX_AGAIN;
    }

    ngx_http_chat_change_settings(z, room, in);

    ngx_memory_barrier();

    room->intent = 0;

    ngx_http_chat_block_free(z, block, block, 1);

    return NGX_OK;
}


static ngx_int_t
ngx_http_chat_change_person(ngx_http_chat_zone_t *z, uint32_t n,
    ngx_http_chat_intent_sh_t *in)
{
    uint32_t                      o;
    ngx_http_chat_occupant_sh_t  *oc;

    o = in->occupant;

    if (o == 0 || (o >> 1) > z->sh->nblocks) {
        return NGX_OK;
    }

    oc = ngx_http_chat_occupant(z, o);

    if (ngx_http_chat_block(z, o >> 1)->kind != NGX_HTTP_CHAT_BLOCK_PEOPLE
        || oc->user_len == 0
        || oc->room != n)
    {
        /* was expelled and freed, and only the intent was left */

        return NGX_OK;
    }

    switch (in->what) {

    case NGX_HTTP_CHAT_CHANGE_KICK:
        return ngx_http_chat_change_expel(z, n, in);

    case NGX_HTTP_CHAT_CHANGE_MUTE:
        oc->muted = in->until;
        return NGX_OK;

    case NGX_HTTP_CHAT_CHANGE_BAN:
        oc->banned = in->until;

        return in->until ? ngx_http_chat_change_expel(z, n, in) : NGX_OK;

    case NGX_HTTP_CHAT_CHANGE_GRANT:
        oc->granted = in->role;
        return NGX_OK;

    default:
        return NGX_OK;
    }
}


/* Nothing to do for one who is away, but for one who is said to be there. */

static ngx_int_t
ngx_http_chat_change_expel(ngx_http_chat_zone_t *z, uint32_t n,
    ngx_http_chat_intent_sh_t *in)
{
    ngx_uint_t                    here;
    ngx_http_chat_occupant_sh_t  *oc;

    oc = ngx_http_chat_occupant(z, in->occupant);
    here = ngx_http_chat_occupant_here_locked(z, in->occupant);

    if (here == 0 && !(oc->flags & (NGX_HTTP_CHAT_OCCUPANT_COUNTED
                                    |NGX_HTTP_CHAT_OCCUPANT_EXPELLED)))
    {
        return NGX_OK;
    }

    if (ngx_http_chat_occupant_expel_locked(z, in->occupant, in->seq)
        != NGX_OK)
    {
        return NGX_AGAIN;
    }

    if (here == 0) {
        (void) ngx_http_chat_occupant_forget_locked(z, in->occupant,
                                               ngx_http_chat_room_now(), 0);
    }

    ngx_memory_barrier();

    ngx_http_chat_room(z, n)->changes++;

    return NGX_OK;
}


static void
ngx_http_chat_change_settings(ngx_http_chat_zone_t *z,
    ngx_http_chat_room_sh_t *room, ngx_http_chat_intent_sh_t *in)
{
    uint8_t   mask;
    uint32_t  old;

    mask = in->given & (NGX_HTTP_CHAT_ROOM_LOCKED
                        |NGX_HTTP_CHAT_ROOM_MEMBERS_ONLY);

    room->settings = (room->settings & ~mask) | (in->flags & mask);

    if (in->given & NGX_HTTP_CHAT_ROOM_SLOW) {
        room->slow = in->slow;
    }

    if ((in->given & NGX_HTTP_CHAT_ROOM_TOPIC) && room->topic != in->topic) {
        old = room->topic;
        room->topic = in->topic;

        if (old) {
            ngx_memory_barrier();
            ngx_http_chat_block_free(z, old, old, 1);
        }
    }
}


void
ngx_http_chat_change_cancel_locked(ngx_http_chat_zone_t *z, uint32_t n)
{
    uint32_t                  block, topic;
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room(z, n);
    block = room->intent;

    if (block == 0) {
        return;
    }

    topic = ngx_http_chat_intent(z, block)->topic;

    room->intent = 0;

    ngx_memory_barrier();

    if (topic && topic != room->topic) {
        ngx_http_chat_block_free(z, topic, topic, 1);
    }

    ngx_http_chat_block_free(z, block, block, 1);
}


ngx_uint_t
ngx_http_chat_change_matters_locked(ngx_http_chat_zone_t *z, uint32_t n)
{
    ngx_http_chat_room_sh_t  *room;

    room = ngx_http_chat_room(z, n);

    return room->topic || room->slow || room->settings || room->intent
           || ngx_http_chat_occupant_matters_locked(z, n,
                                                  ngx_http_chat_room_now());
}
