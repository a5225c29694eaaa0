
/*
 * Copyright (C) the chat module's authors
 */


#include "ngx_http_chat_module.h"


#if (NGX_DARWIN)
#define NGX_HTTP_CHAT_KEYFILE_NSEC(fi)  ((fi)->st_ctimespec.tv_nsec)
#else
#define NGX_HTTP_CHAT_KEYFILE_NSEC(fi)  ((fi)->st_ctim.tv_nsec)
#endif


struct ngx_http_chat_keyfile_s {
    ngx_str_t                            name;
    void                                *data;
    const ngx_http_chat_keyfile_type_t  *type;

    /* of the file that was read last, whether it was good or not */
    ngx_file_info_t                      seen;

    time_t                               checked;
    unsigned                             missing:1;
    unsigned                             news:1;   /* read anew, not told */
};


static void *ngx_http_chat_keyfile_look(ngx_http_chat_keyfile_t *file,
    ngx_log_t *log);
static ngx_uint_t ngx_http_chat_keyfile_changed(ngx_http_chat_keyfile_t *file,
    ngx_file_info_t *fi);
static void *ngx_http_chat_keyfile_read(ngx_http_chat_keyfile_t *file,
    ngx_uint_t level, ngx_log_t *log);
static void *ngx_http_chat_keyfile_parse(ngx_http_chat_keyfile_t *file,
    ngx_fd_t fd, ngx_uint_t level, ngx_log_t *log);
static void ngx_http_chat_keyfile_cleanup(void *data);


ngx_http_chat_keyfile_t *
ngx_http_chat_keyfile_add(ngx_conf_t *cf, ngx_str_t *path,
    const ngx_http_chat_keyfile_type_t *type)
{
    ngx_pool_cleanup_t       *cln;
    ngx_http_chat_keyfile_t  *file;

    file = ngx_pcalloc(cf->pool, sizeof(ngx_http_chat_keyfile_t));
    if (file == NULL) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_chat_keyfile_cleanup;
    cln->data = file;

    file->name = *path;
    file->type = type;

    if (ngx_conf_full_name(cf->cycle, &file->name, 1) != NGX_OK) {
        return NULL;
    }

    file->data = ngx_http_chat_keyfile_read(file, NGX_LOG_EMERG, cf->log);

    return file->data ? file : NULL;
}


ngx_http_chat_keyfile_t *
ngx_http_chat_keyfile_watch(ngx_conf_t *cf, ngx_str_t *path,
    const ngx_http_chat_keyfile_type_t *type)
{
    ngx_str_t                    name;
    ngx_uint_t                   i;
    ngx_http_chat_keyfile_t    **file;
    ngx_http_chat_main_conf_t   *chmcf;

    chmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_chat_module);

    if (chmcf->watched == NULL) {
        chmcf->watched = ngx_array_create(cf->pool, 1, sizeof(void *));

        if (chmcf->watched == NULL) {
            return NULL;
        }
    }

    name = *path;

    if (ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK) {
        return NULL;
    }

    file = chmcf->watched->elts;

    for (i = 0; i < chmcf->watched->nelts; i++) {

        if (file[i]->type == type && file[i]->name.len == name.len
            && ngx_memcmp(file[i]->name.data, name.data, name.len) == 0)
        {
            return file[i];
        }
    }

    file = ngx_array_push(chmcf->watched);
    if (file == NULL) {
        return NULL;
    }

    *file = ngx_http_chat_keyfile_add(cf, &name, type);

    return *file;
}


ngx_uint_t
ngx_http_chat_keyfile_news(ngx_http_chat_keyfile_t *file, ngx_log_t *log)
{
    ngx_uint_t  news;

    (void) ngx_http_chat_keyfile_look(file, log);

    news = file->news;
    file->news = 0;

    return news;
}


void *
ngx_http_chat_keyfile_data(ngx_http_chat_keyfile_t *file, ngx_log_t *log)
{
    return (file->checked == ngx_time()) ? file->data
                                         : ngx_http_chat_keyfile_look(file,
                                                                      log);
}


static void *
ngx_http_chat_keyfile_look(ngx_http_chat_keyfile_t *file, ngx_log_t *log)
{
    void             *data;
    ngx_file_info_t   fi;

    file->checked = ngx_time();

    if (ngx_file_info(file->name.data, &fi) == NGX_FILE_ERROR) {

        if (!file->missing) {
            file->missing = 1;
            ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                          ngx_file_info_n " \"%V\" failed, its %s of "
                          "before go on to hold",
                          &file->name, file->type->what);
        }

        return file->data;
    }

    if (!ngx_http_chat_keyfile_changed(file, &fi) && !file->missing) {
        return file->data;
    }

    file->missing = 0;

    data = ngx_http_chat_keyfile_read(file, NGX_LOG_ERR, log);

    if (data == NULL) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "the %s of before go on to hold for \"%V\"",
                      file->type->what, &file->name);

        /* said once: not again before it has changed again */

        file->seen = fi;

        return file->data;
    }

    ngx_log_error(NGX_LOG_NOTICE, log, 0, "%s were read anew from \"%V\"",
                  file->type->what, &file->name);

    file->type->free(file->data);
    file->data = data;
    file->news = 1;

    return data;
}


/*
 * The time is that of the inode: a chmod() of what could not be read changes it
 * too, and nobody can set it back.  Two versions of one size within a second
 * are no rarity in a rotation.
 */

static ngx_uint_t
ngx_http_chat_keyfile_changed(ngx_http_chat_keyfile_t *file,
    ngx_file_info_t *fi)
{
    return ngx_file_uniq(&file->seen) != ngx_file_uniq(fi)
           || ngx_file_size(&file->seen) != ngx_file_size(fi)
           || file->seen.st_ctime != fi->st_ctime
           || NGX_HTTP_CHAT_KEYFILE_NSEC(&file->seen)
              != NGX_HTTP_CHAT_KEYFILE_NSEC(fi);
}


static void *
ngx_http_chat_keyfile_read(ngx_http_chat_keyfile_t *file, ngx_uint_t level,
    ngx_log_t *log)
{
    void      *data;
    ngx_fd_t   fd;

    /* a pipe has the worker wait for somebody who writes */

    fd = ngx_open_file(file->name.data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(level, log, ngx_errno, ngx_open_file_n " \"%V\" failed",
                      &file->name);
        return NULL;
    }

    data = ngx_http_chat_keyfile_parse(file, fd, level, log);

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", &file->name);
    }

    return data;
}


static void *
ngx_http_chat_keyfile_parse(ngx_http_chat_keyfile_t *file, ngx_fd_t fd,
    ngx_uint_t level, ngx_log_t *log)
{
    void             *data;
    size_t            max;
    u_char           *text;
    ssize_t           n;
    ngx_uint_t        line;
    const char       *reason;
    ngx_file_info_t   fi;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_log_error(level, log, ngx_errno, ngx_fd_info_n " \"%V\" failed",
                      &file->name);
        return NULL;
    }

    max = file->type->max;

    if (!ngx_is_file(&fi) || ngx_file_size(&fi) > (off_t) max) {
        ngx_log_error(level, log, 0,
                      "\"%V\" is no file, or larger than %uzk",
                      &file->name, max / 1024);
        return NULL;
    }

    if (ngx_file_size(&fi) > (off_t) (max / 4 * 3)) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "\"%V\" has %O bytes, and will not be read with more "
                      "than %uzk", &file->name, ngx_file_size(&fi),
                      max / 1024);
    }

    text = ngx_alloc(max, log);
    if (text == NULL) {
        return NULL;
    }

    data = NULL;
    line = 0;
    reason = "it cannot be read";

    n = ngx_read_fd(fd, text, max);

    if (n >= 0) {
        data = file->type->parse(&file->name, text, n, &reason, &line);
        ngx_explicit_memzero(text, n);
    }

    ngx_free(text);

    if (data == NULL) {

        if (line) {
            ngx_log_error(level, log, 0, "\"%V\" holds no %s: %s in line "
                          "%ui", &file->name, file->type->what, reason, line);

        } else {
            ngx_log_error(level, log, 0, "\"%V\" holds no %s: %s",
                          &file->name, file->type->what, reason);
        }

        return NULL;
    }

    file->seen = fi;

    return data;
}


static void
ngx_http_chat_keyfile_cleanup(void *data)
{
    ngx_http_chat_keyfile_t  *file = data;

    if (file->data) {
        file->type->free(file->data);
        file->data = NULL;
    }
}
