
# Tests for what nginx does before a handshake: 101 comes after every check.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config(<<'_EOC_');
    chat_zone        chat:1m;
    limit_conn_zone  $binary_remote_addr zone=conn:1m;
    limit_req_zone   $arg_key zone=req:1m rate=1r/m;
    map $request_uri $known { default 0; ~user=alice 1; }
    log_format ends '$uri $status $chat_user $chat_close_code';
_EOC_

play();


sub basic {
    require MIME::Base64;
    return MIME::Base64::encode_base64($_[0], '');
}

__DATA__

=== TEST 1: allow and deny
--- config
    location /open   { allow 127.0.0.1; deny all; chat chat; }
    location /closed { deny 127.0.0.1; chat chat; }
--- chat
a connect /open
a refused 403 /closed
access 1 ~GET /closed \S+ 403
access no ~GET /closed \S+ 101



=== TEST 2: a password
--- config
    location /chat {
        auth_basic            chat;
        auth_basic_user_file  $TEST_NGINX_SERVER_ROOT/html/users;
        chat                  chat;
        chat_user             $remote_user;
    }
--- user_files
>>> users
alice:{PLAIN}secret
--- chat
a refused 401 /chat
a header WWW-Authenticate ~Basic
a refused 401 /chat | Authorization: Basic $(main::basic("alice:wrong"))
a connect /chat | Authorization: Basic $(main::basic("alice:secret"))
a < {"type":"welcome","user":"alice","guest":false}



=== TEST 3: a subrequest that decides
--- config
    location /chat {
        auth_request      /check;
        auth_request_set  $who $upstream_http_x_user;
        chat              chat;
        chat_user         $arg_user;
    }

    location = /check {
        internal;
        if ($known = 0) { return 403; }
        return 204;
    }
--- chat
a refused 403 /chat?user=mallory
a connect /chat?user=alice
a < {"type":"welcome","user":"alice"}



=== TEST 4: limits, satisfy, if
--- config
    location /req { limit_req zone=req; limit_req_status 429; chat chat; }
    location /if  { if ($arg_no) { return 418; } chat chat; }
    location /sat {
        satisfy any;
        deny all;
        auth_basic chat;
        auth_basic_user_file $TEST_NGINX_SERVER_ROOT/html/users;
        chat chat;
    }
--- user_files
>>> users
alice:{PLAIN}secret
--- chat
a connect /req?key=1
b refused 429 /req?key=1
a connect /if
b refused 418 /if?no=1
a refused 401 /sat
a connect /sat | Authorization: Basic $(main::basic("alice:secret"))



=== TEST 5: limit_conn counts a handshake, and the session where the request is kept
--- config
    location /short { limit_conn conn 1; chat chat; }
    location /long  { limit_conn conn 1; chat chat; chat_keep_request on; }
--- chat
a connect /short
access 1 ~/short
b connect /short
access 2 ~/short
a connect /long
b refused 503 /long
c connect /long from=127.0.0.2
a close 1000
a skip closed 1000
access ~"GET /long HTTP/1.1" 101
b connect /long



=== TEST 6: the access log's line: at the upgrade, or at the end
--- config
    location /short { chat chat; access_log logs/ends.log ends; chat_user $arg_user; }
    location /long  {
        chat chat; access_log logs/ends.log ends; chat_user $arg_user;
        chat_keep_request on;
    }
--- chat
a connect /short?user=alice
a < {"type":"welcome"}
log in ends.log 1 ~^/short 101
b connect /long?user=bob
b < {"type":"welcome"}
b nothing 100ms
log in ends.log no ~^/long
b close 1000
b closed 1000
log in ends.log 1 ~^/long 101 bob 1000
a close 1000
a closed 1000
a open
log in ends.log 1 ~^/short



=== TEST 7: a kept request serves the chat as any other
--- config
    location /chat {
        chat chat; chat_user $arg_user; chat_keep_request on;
    }
--- chat
a connect /chat?user=alice plus=898000000000
a < {"type":"welcome","user":"alice"}
a recv pong
b connect /chat?user=bob other=a
b skip {"type":"welcome"}
for who a b
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
a > {"type":"send","room":"lobby","text":"hi"}
a < {"type":"message","text":"hi"}
b < {"type":"message","text":"hi"}
a drop
b reset



=== TEST 8: error_page makes another answer, and no upgrade
--- config
    error_page 403 = /sorry;
    location /sorry { return 200 sorry; }
    location /chat  { deny all; chat chat; }
--- chat
a refused 200 /chat
a body ~sorry



=== TEST 9: over TLS
--- config
    listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
    ssl_certificate      $TEST_NGINX_SERVER_ROOT/html/chat.crt;
    ssl_certificate_key  $TEST_NGINX_SERVER_ROOT/html/chat.key;
    location /chat { chat chat; chat_user $arg_user; }
    location /port { return 200 $server_port; }
--- chat
a connect /chat?user=alice tls port=$TEST_NGINX_RAND_PORT_1
a < {"type":"welcome","user":"alice"}
b connect /chat?user=bob other=a
b < {"type":"welcome","user":"bob"}
for who a b
$who > {"type":"join","room":"lobby","id":1}
$who < {"type":"ok","id":1}
end
a slowly > {"type":"send","room":"lobby","text":"over TLS"}
for who a b
$who < {"type":"message","text":"over TLS"}
end
b > {"type":"send","room":"lobby","text":"$("x" x 16000)"}
for who a b
$who < ~x{16000}
end
for i 1..50
b > {"type":"send","room":"lobby","text":"$("y" x 16000)$i"}
end
a seqs 3..52 lobby
b seqs 3..52 lobby
a connect /chat?user=alice tls port=$TEST_NGINX_RAND_PORT_1 \
    | Origin: https://localhost:$TEST_NGINX_RAND_PORT_1 \
    | Host: localhost:$TEST_NGINX_RAND_PORT_1
a refused 403 /chat tls port=$TEST_NGINX_RAND_PORT_1 | Origin: https://evil.tld



=== TEST 10: a subrequest is no place for a chat
--- config
    location /asks { auth_request /chat; try_files /none =404; }
    location /chat { chat chat; }
--- chat
a refused 500 /asks
log ~chat location "/chat" cannot serve a subrequest
a connect /chat
a < {"type":"welcome"}
