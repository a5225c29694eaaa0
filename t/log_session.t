
# Tests for chat_log: one line a session at its end, whether its request is
# still there or not.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config(<<'_EOC_');
    chat_zone   chat:1m;
    log_format  short '$chat_user $chat_close_code $uri $status';
    log_format  times '$chat_user $request_time $chat_duration';
    log_format  who '$chat_user from $remote_addr port $remote_port';
_EOC_

play();

__DATA__

=== TEST 1: the default format
--- config
    location /chat { chat chat; chat_user $arg_user; chat_room $arg_room; chat_log logs/s.log; }
--- chat
a connect /chat?user=alice&room=lobby
a < {"type":"welcome","session":"$session"}
a < {"type":"joined"}
a > {"type":"ping","id":1}
a < {"type":"ok"}
a close 1000
a closed 1000
log in s.log 1 ~^127\.0\.0\.1 \[\d\d/[A-Z][a-z][a-z]/\d{4}:[^]]+\] "alice" "lobby" $session chat\.v1 websocket in=1/\d+ out=\d+/\d+ 1000 \d+\.\d{3}$
b connect /chat?user=bob
b < {"type":"welcome"}
b close 4321
b skip eof
log in s.log 1 ~"bob" "-" \S+ chat\.v1 websocket in=0/8 out=1/\d+ 4321 \d+\.\d{3}$



=== TEST 2: no line before the end, and one for a connection that breaks
--- config
    location /chat { chat chat; chat_user $arg_user; chat_log logs/s.log short; }
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
b connect /chat?user=bob
b < {"type":"welcome"}
a drop
log in s.log 1 ~^alice 1006 /chat 101$
log in s.log no ~^bob
c refused 426 /chat?user=carol | -Upgrade
b reset
log in s.log 1 ~^bob
log in s.log no ~^carol



=== TEST 3: inherited, replaced, several and off
--- http_config
    chat_zone   chat:1m;
    log_format  short '$chat_user $chat_close_code $uri $status';
    chat_log    logs/http.log short;
    access_log  off;
--- config
    location /http { chat chat; chat_user $arg_user; }
    location /own  { chat chat; chat_user $arg_user; chat_log logs/own.log short; }
    location /two  {
        chat chat; chat_user $arg_user;
        chat_log logs/own.log short; chat_log logs/more.log combined;
    }
    location /off  {
        chat chat; chat_user $arg_user; chat_log off;
    }
    location /if {
        if ($arg_x) { set $y 1; }
        chat chat; chat_user $arg_user;
    }
--- chat
for where http own two off if if?x=1
set user = $v{where} =~ s/\W//gr
a connect /$where$($v{where} =~ /\?/ ? '&' : '?')user=$user
a < {"type":"welcome"}
a close 1000
a closed 1000
end
log in http.log 1 ~^http 1000 /http 101$
log in http.log 1 ~^if 1000 /if 101$
log in http.log 1 ~^ifx1 1000 /if 101$
log in own.log 1 ~^own 1000 /own 101$
log in own.log 1 ~^two 1000 /two 101$
log in more.log 1 ~^127\.0\.0\.1 - - \[.*\] "-" 101 \d+ "-" "-"$
log in http.log no ~^(own|two|off)



=== TEST 4: the request's time is the session's
--- config
    location /chat { chat chat; chat_user $arg_user; chat_log logs/s.log times; }
    location /kept {
        chat chat; chat_user $arg_user; chat_log logs/s.log times;
        chat_keep_request on;
    }
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
b connect /kept?user=bob
b < {"type":"welcome"}
b nothing 1100ms
for who a b
$who close 1000
$who skip closed 1000
end
log in s.log 1 ~^alice [1-9]\d*\.\d{3} [1-9]\d*\.\d{3}$
log in s.log 1 ~^bob [1-9]\d*\.\d{3} [1-9]\d*\.\d{3}$



=== TEST 5: the client's address, also behind a proxy
nginx's realip module puts the proxy's address back as soon as the request is
released.
--- config
    set_real_ip_from  127.0.0.1;
    location /chat { chat chat; chat_user $arg_user; chat_log logs/s.log who; }
    location /kept {
        chat chat; chat_user $arg_user; chat_log logs/s.log who;
        chat_keep_request on;
    }
--- chat
for where chat kept
a connect /$where?user=$where | X-Real-IP: 192.0.2.77
a < {"type":"welcome"}
a close 1000
a closed 1000
log in s.log 1 ~^$where from 192\.0\.2\.77 port
end



=== TEST 6: a condition, and a buffer that is written when nginx quits
--- config
    location /chat {
        chat chat; chat_user $arg_user;
        chat_log logs/if.log short if=$arg_log;
        chat_log logs/named.log short if=$chat_user;
        chat_log logs/buffered.log short buffer=64k;
    }
    location /kept {
        chat chat; chat_user $arg_user; chat_keep_request on;
        chat_log logs/if.log short if=$arg_log;
    }
--- chat
a connect /chat?user=alice&log=1
b connect /kept?user=bob&log=1
c connect /kept?user=carol
for who a b c
$who < {"type":"welcome"}
$who close 1000
$who skip closed 1000
end
log in named.log 1 ~^alice
log in if.log 1 ~^bob
log in if.log no ~^alice
log in if.log no ~^carol
log in buffered.log no ~^alice
nginx quit
nginx stopped
log in buffered.log 1 ~^alice



=== TEST 7: sessions of a configuration that is gone
--- config
    location /chat {
        chat chat; chat_user $arg_user; chat_close_delay 0;
        chat_log logs/old.log short;
    }
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
nginx edit s/old.log/new.log/
nginx reload
a skip closed 1012
log in old.log 1 ~^alice 1012 /chat 101$
b connect /chat?user=bob
b < {"type":"welcome"}
b close 1000
b closed 1000
log in new.log 1 ~^bob 1000 /chat 101$
log in old.log no ~^bob
