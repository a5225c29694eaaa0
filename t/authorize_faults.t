
# Tests for chat_authorize when things go wrong while a question is open: with
# the backend, with the client, with the worker, and with the user.

use lib 't/lib';
use Test::Nginx::Chat;
use Test::Nginx::Chat::Backend;
use Test::Nginx::Chat::Token;

Test::Nginx::Chat::Token::secret_file();
Test::Nginx::Chat::Token::key_file('revoked', "# who is out\n");

default_http_config(<<'_EOC_');
    chat_zone  chat:2m;
    chat_close_delay  0s;
    chat_presence  off;
    limit_req_zone  $server_name  zone=held:1m  rate=20r/s;
    proxy_cache_path  html/cache  keys_zone=cache:1m;
    log_subrequest  on;
    log_format  question  '$remote_addr $remote_port $server_addr $host $request '
                          '$status $bytes_sent $request_time $connection '
                          '$scheme $http_user_agent $upstream_status '
                          '$chat_user $chat_room $chat_role $chat_session '
                          '$chat_protocol $chat_transport $chat_guest '
                          '$chat_duration $chat_close_code $binary_remote_addr';
_EOC_

default_config(<<'_EOC_');
    location /chat {
        chat            chat;
        chat_user       $arg_user;
        chat_room       $arg_room;
        chat_authorize  /backend timeout=60s;
    }

    location /seen {
        chat            chat;
        chat_user       $arg_user;
        chat_presence   full;
        chat_authorize  /backend timeout=60s;
    }

    location /impatient {
        chat            chat;
        chat_user       $arg_user;
        chat_authorize  /backend timeout=300ms;
    }

    location /watched {
        chat                chat;
        chat_user           $arg_user;
        chat_authorize      /backend timeout=60s;
        chat_ping_interval  300ms;
    }

    location /token {
        chat             chat;
        chat_jwt         key=../html/secret;
        chat_jwt_claims  leeway=0s;
        chat_authorize   /backend timeout=60s;
    }

    location /revoked {
        chat            chat;
        chat_user       $arg_user;
        chat_revoked    ../html/revoked;
        chat_authorize  /backend timeout=60s;
    }

    location /held {
        chat            chat;
        chat_user       $arg_user;
        chat_authorize  /held_back timeout=60s;
    }

    location /cached {
        chat            chat;
        chat_user       $arg_user;
        chat_authorize  /kept timeout=60s;
    }

    location /logged {
        error_log       logs/logged.log;
        chat            chat;
        chat_user       $arg_user;
        chat_authorize  /backend;
    }

    location = /kept {
        internal;
        proxy_cache        cache;
        proxy_cache_key    $chat_room;
        proxy_cache_lock   on;
        proxy_cache_valid  204 1m;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location = /backend {
        internal;
        access_log  logs/question.log  question;
        proxy_set_header  X-Room     $chat_room;
        proxy_set_header  X-Session  $chat_session;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location = /held_back {
        internal;
        limit_req   zone=held burst=20;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
_EOC_


sub main::revoke_now {
    my ($line) = @_;

    my $name = Test::Nginx::Util::server_root() . '/html/revoked';

    open my $out, '>>', $name or die "revoked: $!\n";
    syswrite $out, "$line\n";

    return close $out;
}

play();

__DATA__

=== TEST 1: a backend that dies before its header has ended
--- chat
a connect /chat?user=alice
a skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::break_off()
a < {"type":"error","id":1,"code":"unavailable"}
a > {"type":"join","id":2,"room":"lobby"}
ok main::asked(1)
ok main::part("HTTP/1.1 2")
ok main::break_off()
a < {"type":"error","id":2,"code":"unavailable"}
a > {"type":"join","id":3,"room":"lobby"}
ok main::asked(1)
ok main::part("HTTP/1.1 200 OK\r\nX-Chat-Role: owner\r\nX-Ch")
ok main::break_off()
a < {"type":"error","id":3,"code":"unavailable"}
a > {"type":"join","id":4,"room":"lobby"}
ok main::asked(1)
ok main::part("HTTP/1.1 200 OK\r\nX-Chat-Role: owner\r\nContent-Length: 100\r\n\r\nx")
ok main::break_off()
a < {"type":"ok","id":4,"role":"owner"}
log 3 ~upstream prematurely closed connection



=== TEST 2: a header that does not end, at once and drop by drop
--- chat
a connect /chat?user=alice
a skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::part("HTTP/1.1 200 OK\r\n" . "X-Filler: filler\r\n" x 1000)
a < {"type":"error","id":1,"code":"unavailable"}
ok main::let_go()
log 1 ~upstream sent too big header
b connect /impatient?user=bob
b skip {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::part("HTTP/1.1 200 OK\r\nX-Chat-Role: ow")
b < {"type":"error","id":1,"code":"unavailable"}
ok main::let_go()
b > {"type":"join","id":2,"room":"lobby"}
ok main::asked(1)
ok main::answer(200)
b < {"type":"ok","id":2,"role":"member","members":1}



=== TEST 3: a body that does not end
--- chat
a connect /chat?user=alice
a skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::part("HTTP/1.1 200 OK\r\nX-Chat-Role: owner\r\n\r\nbody")
a < {"type":"ok","id":1,"role":"owner"}
set written = main::let_go('x' x 65536)
ok $written && $written < 32 * 1024 * 1024



=== TEST 4: the location that is asked holds back
What limit_req and others hold back goes on by the connection's timer.
--- chat
for n 1..6
c$n connect /held?user=u$n
c$n skip {"type":"welcome"}
end
for n 1..6
c$n > {"type":"join","id":1,"room":"lobby"}
end
ok main::asked(6)
for n 1..6
ok main::answer(200)
end
for n 1..6
c$n skip {"type":"ok","id":1}
end
log ~delaying request



=== TEST 5: who goes while it is held back
--- chat
for n 1..4
c$n connect /held?user=u$n
c$n skip {"type":"welcome"}
end
for n 1..4
c$n > {"type":"join","id":1,"room":"lobby"}
end
nginx reload
for n 1..4
c$n skip {"type":"bye"}
c$n closed 1012
end
nginx renewed
ok main::hang_up()



=== TEST 6: which session it is
--- chat
a connect /chat?user=alice
a < {"type":"welcome","session":"$sid"}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::sent() =~ /^X-Session: $sid\r\n/m
ok main::answer(200)
a < {"type":"ok","id":1}



=== TEST 7: a reload, and an end, while questions are open
--- chat
a connect /chat?user=alice
a skip {"type":"welcome"}
b connect /chat?user=bob other=a
b skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
b > {"type":"join","id":1,"room":"lobby"}
ok main::asked(2)
nginx reload
for who a b
$who < {"type":"bye"}
$who closed 1012
end
nginx renewed
ok main::let_go()
ok main::let_go()
c connect /chat?user=carol
c skip {"type":"welcome"}
c > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
nginx quit
c < {"type":"bye"}
c closed 1001
nginx stopped
ok main::let_go()



=== TEST 8: a worker that is killed meanwhile
--- faults
exited on signal 9
--- chat
a connect /chat?user=alice
a skip {"type":"welcome"}
b connect /chat?user=bob other=a
b skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
b > {"type":"join","id":1,"room":"lobby"}
ok main::asked(2)
nginx kill a
a eof
ok main::sent() =~ /^X-Room: lobby/m
ok main::answer(204)
ok main::answer(204)
b < {"type":"ok","id":1,"members":1}
c connect /chat?user=carol other=b
c skip {"type":"welcome"}
c > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200)
c < {"type":"ok","id":1,"members":2}



=== TEST 9: clients that go meanwhile
Each question ends when its client is found to be gone, and nothing is left.
--- chat
for n 1..20
c$n connect /watched?user=u$n
c$n skip {"type":"welcome"}
c$n > {"type":"join","id":1,"room":"lobby"}
ok main::asked($n)
end
for n 1..20
c$n reset
end
for n 1..20
ok main::let_go()
end
a connect /chat?user=alice
a skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200)
a < {"type":"ok","id":1,"members":1}



=== TEST 10: one room twice, before an answer
--- chat
a connect /chat?user=alice
a skip {"type":"welcome"}
a cork
a > {"type":"join","id":1,"room":"lobby"}
a > {"type":"join","id":2,"room":"lobby"}
a > {"type":"leave","id":3,"room":"lobby"}
a flush
ok main::asked(1)
ok main::quiet()
ok main::answer(200)
a < {"type":"ok","id":1}
a < {"type":"ok","id":2}
a < {"type":"ok","id":3}
ok main::quiet()
a cork
a > {"type":"join","id":4,"room":"lobby"}
a > {"type":"join","id":5,"room":"lobby"}
a flush
ok main::asked(1)
ok main::answer(403)
a < {"type":"error","id":4,"code":"forbidden"}
ok main::asked(1)
ok main::answer(200)
a < {"type":"ok","id":5}



=== TEST 11: two rooms, before an answer
--- chat
a connect /chat?user=alice&room=zero
a skip {"type":"welcome"}
a cork
a > {"type":"join","id":1,"room":"one"}
a > {"type":"join","id":2,"room":"two"}
a flush
for room zero one two
ok main::asked(1)
ok main::sent() =~ /^X-Room: $room\r\n/m
ok main::quiet()
ok main::answer(200)
a < ~"room":"$room"
end



=== TEST 12: another token, before an answer
--- chat
set later = time() + 1000
a connect /token?token=$(main::token(sub => 'alice', exp => $v{later}))
a < {"type":"welcome","user":"alice"}
a cork
a > {"type":"join","id":1,"room":"lobby"}
a > {"type":"auth","id":2,"token":"$(main::token(sub => 'alice', exp => $v{later} + 1000))"}
a flush
ok main::asked(1)
a nothing 200ms
ok main::answer(200, 'X-Chat-Role: moderator')
a < {"type":"ok","id":1,"role":"moderator"}
a < {"type":"ok","id":2,"expires":$(1000 * ($v{later} + 1000))}



=== TEST 13: a token that ends before an answer
--- chat
a connect /token?token=$(main::token(sub => 'alice', exp => time() + 3))
a skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
a skip closed 4001
ok main::let_go()



=== TEST 14: revoked before an answer
--- chat
a connect /revoked?user=alice
a skip {"type":"welcome"}
b connect /revoked?user=bob
b skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::revoke_now('user alice')
a closed 4003
ok main::let_go()
b > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200)
b < {"type":"ok","id":1,"members":1}



=== TEST 15: kicked, and banned, before an answer
--- chat
mod connect /chat?user=mod
mod skip {"type":"welcome"}
mod > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Role: moderator')
mod skip {"type":"ok","id":1}
a connect /chat?user=alice
a skip {"type":"welcome"}
b connect /chat?user=alice other=a
b skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200)
a skip {"type":"ok","id":1}
b > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
mod > {"type":"kick","id":2,"room":"lobby","user":"alice"}
mod skip {"type":"ok","id":2}
a skip {"type":"kicked"}
ok main::answer(200)
b < {"type":"ok","id":1}
a > {"type":"join","id":2,"room":"lobby"}
ok main::asked(1)
mod > {"type":"ban","id":3,"room":"lobby","user":"alice"}
mod skip {"type":"ok","id":3}
b skip {"type":"banned"}
ok main::answer(200)
a < {"type":"error","id":2,"code":"banned"}



=== TEST 16: many questions leave no memory behind
--- chat
for n 1..50
c$n connect /chat?user=u$n
c$n skip {"type":"welcome"}
end
for round 0..3
set before = $v{round} == 1 ? $main::Server->memory : $v{before} // 0
for k 1..10
for n 1..50
c$n > {"type":"join","id":1,"room":"r"}
ok main::asked(1)
ok main::answer(403)
c$n < {"type":"error","id":1}
end
end
end
ok $main::Server->grown($before) < 2048



=== TEST 17: questions with one answer in a cache
--- chat
a connect /cached?user=alice
a skip {"type":"welcome"}
b connect /cached?user=bob
b skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
b > {"type":"join","id":1,"room":"lobby"}
ok main::quiet()
ok main::answer(204, 'X-Chat-Role: moderator')
a skip {"type":"ok","id":1,"role":"moderator"}
b skip {"type":"ok","id":1,"role":"moderator"}
a > {"type":"join","id":2,"room":"other"}
ok main::asked(1)
b > {"type":"join","id":2,"room":"other"}
ok main::quiet()
nginx reload
a skip closed 1012
b skip closed 1012
ok main::let_go()
nginx renewed
ok main::hang_up()



=== TEST 18: the question in a log
--- chat
a connect /chat?user=alice
a < {"type":"welcome","session":"$sid"}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(204)
a < {"type":"ok","id":1}
log in question.log ~^127\.0\.0\.1 \d+ .* 204 .* alice lobby member $sid chat\.v1



=== TEST 19: who has gone is not seen coming
--- chat
a connect /seen?user=alice
a skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200)
a skip {"type":"ok","id":1}
b connect /seen?user=bob same=a
b skip {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
b drop
a > {"type":"ping","id":2}
a < {"type":"ok","id":2}
ok main::answer(200)
a nothing 300ms
a > {"type":"members","id":3,"room":"lobby"}
a < {"type":"ok","id":3,"members":1}



=== TEST 20: why a backend has not answered is in the log of who asked
--- chat
a connect /logged?user=alice
a skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::break_off()
a < {"type":"error","id":1,"code":"unavailable"}
log in logged.log ~who may join cannot be found out
log in logged.log ~upstream prematurely closed connection
