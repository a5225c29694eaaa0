
# Tests for directives that stand above a location, and in "if" and nested
# locations.

use lib 't/lib';
use Test::Nginx::Chat;

play();

__DATA__

=== TEST 1: what stands at http and server counts where nothing else is said
--- http_config
    chat_zone          chat:1m;
    chat_message_size  1000;
    chat_user          $arg_user;
--- config
    chat_rooms_per_connection  7;
    chat_ping_interval         3s;

    location /a { chat chat; }
    location /b { chat chat; chat_message_size 2000; chat_ping_interval 4s; }
    location /c { chat_rooms_per_connection 8; location /c/d { chat chat; } }
--- chat
x connect /a?user=alice
x < {"type":"welcome","user":"alice","limits":{"message_size":1000,"rooms":7},"ping":3000}
x connect /b?user=alice
x < {"type":"welcome","limits":{"message_size":2000,"rooms":7},"ping":4000}
x connect /c/d?user=alice
x < {"type":"welcome","limits":{"message_size":1000,"rooms":8},"ping":3000}



=== TEST 2: "chat" itself is not inherited by a location inside
--- http_config
    chat_zone chat:1m;
--- config
    location /chat {
        chat chat;
        location /chat/inside { return 200 plain; }
        location /chat/files { }
    }
--- chat
x connect /chat
x < {"type":"welcome"}
x refused 200 /chat/inside
x body ~plain
x refused 404 /chat/files/x



=== TEST 3: "if" and "limit_except" inside are the same chat
--- http_config
    chat_zone chat:1m;
--- config
    location /if {
        chat chat;
        if ($arg_x) { set $y 1; }
        if ($arg_no) { return 403; }
    }
    location /except {
        chat chat;
        limit_except GET { deny all; }
    }
--- chat
x connect /if
x < {"type":"welcome"}
x connect /if?x=1
x < {"type":"welcome"}
x refused 403 /if?no=1
x connect /except
x < {"type":"welcome"}
x refused 403 POST /except



=== TEST 4: two zones are two chats
--- http_config
    chat_zone one:1m;
    chat_zone two:1m;
--- config
    location /one { chat one; chat_user $arg_user; }
    location /two { chat two; chat_user $arg_user; }
    location /uno { chat one; chat_user $arg_user; }
--- chat
a connect /one?user=alice
b connect /two?user=bob
c connect /uno?user=carol other=a
for who a b c
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
a > {"type":"send","room":"lobby","text":"one"}
a < {"type":"message","text":"one"}
c < {"type":"message","text":"one"}
b nothing 50ms
b > {"type":"history","id":2,"room":"lobby"}
b < {"type":"ok","messages":[]}



=== TEST 5: a raw location and a chat.v1 location with one room
What does not understand each other has rooms of its own.
--- http_config
    chat_zone chat:1m;
--- config
    location /raw { chat chat; chat_protocol raw; chat_room $arg_room; }
    location /chat { chat chat; chat_user $arg_user; }
--- chat
r connect /raw?room=lobby
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"id":1}
r text not JSON at all
r recv text not JSON at all
a > {"type":"send","id":2,"room":"lobby","text":"x"}
a skip {"id":2}
a > {"type":"ping","id":3}
a skip {"type":"ok","id":3}
r ping x
r recv pong x
r nothing 50ms
a nothing 50ms



=== TEST 6: a log with every variable there is
The session's line is written when the request is long gone.
--- http_config
    chat_zone chat:1m;
    map $uri $mapped { default m-$chat_user; }
    geo $place { default here; }
    log_format all '$chat_user $args $arg_user $binary_remote_addr $body_bytes_sent '
        '$bytes_sent $connection $connection_requests $content_length $content_type '
        '$cookie_x $document_root $document_uri $host $hostname $http_host $http_x '
        '$https $is_args $limit_rate $msec $nginx_version $pid $pipe $proxy_protocol_addr '
        '$query_string $realpath_root $remote_addr $remote_port $remote_user $request '
        '$request_body $request_body_file $request_completion $request_filename '
        '$request_id $request_length $request_method $request_time $request_uri $scheme '
        '$sent_http_x $sent_http_content_type $sent_trailer_x $server_addr $server_name '
        '$server_port $server_protocol $status $tcpinfo_rtt $time_iso8601 $time_local $uri '
        '$mapped $place $upstream_addr $upstream_status $upstream_http_x $ssl_protocol '
        '$ssl_client_s_dn $http_cookie $http_x_forwarded_for $gzip_ratio $chat_room '
        '$chat_bytes_in $chat_bytes_out $chat_close_code end';
--- config
    location /chat {
        chat chat; chat_user $arg_user; chat_room lobby; chat_log logs/all.log all;
    }
    location /kept {
        chat chat; chat_user $arg_user; chat_room lobby; chat_log logs/all.log all;
        chat_keep_request on;
    }
    location /both {
        chat chat; chat_user $arg_user; chat_log logs/all.log all;
        access_log logs/acc.log all; chat_log logs/default.log;
    }
--- chat
a connect /chat?user=alice | Cookie: x=1
b connect /kept?user=bob | Cookie: x=1
c connect /both?user=carol
for who a b c
$who < {"type":"welcome"}
$who close 1000
$who skip closed 1000
end
log in all.log 1 ~^alice .* end$
log in all.log 1 ~^bob .* end$
log in all.log 1 ~^carol .* end$
log in acc.log 1 ~^carol .* end$
log in default.log 1 ~carol
