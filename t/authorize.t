
# Tests for chat_authorize: a backend that is asked when a room is joined, its
# roles, its failures, and clients that do not wait for it.

# more files than a process may have everywhere, here and in nginx

BEGIN {
    exec 'sh', '-c', 'ulimit -n 4096; exec "$@"', 'sh', $^X, $0, @ARGV
        unless $ENV{TEST_CHAT_FILES}++;
}

use lib 't/lib';
use Test::Nginx::Chat;
use Test::Nginx::Chat::Backend;

default_http_config(<<'_EOC_');
    chat_zone  chat:2m;
    chat_close_delay  0s;

    map "$http_x_user:$http_x_room" $verdict {
        default          204;
        ~:closed$        403;
        ~:unknown$       401;
        ~:broken$        500;
        ~:moved$         302;
    }

    map $chat_role $leads {
        default    0;
        moderator  1;
    }

    map $http_x_room $role {
        led      moderator;
        strange  king;
    }
_EOC_

default_config(<<'_EOC_');
    location /chat {
        chat            chat;
        chat_user       $arg_user;
        chat_room       $arg_room;
        chat_authorize  /ask;
    }

    location /both {
        chat            chat;
        chat_user       $arg_user;
        chat_authorize  /ask;
        chat_access     join  $leads;
    }

    location /kept {
        chat                  chat;
        chat_user             $arg_user;
        chat_authorize        /slow;
        chat_authorize_cache  10s;
        chat_user_role        $arg_role;
    }

    location /keyed {
        chat                  chat;
        chat_user             $arg_user;
        chat_authorize        /slow;
        chat_authorize_cache  10s  $cookie_group;
    }

    location /later {
        chat            chat;
        chat_user       $arg_user;
        chat_room       $arg_room;
        chat_authorize  /slow;
    }

    location /impatient {
        chat            chat;
        chat_user       $arg_user;
        chat_authorize  /slow timeout=300ms;
    }

    location /thousand {
        chat               chat;
        chat_user          $arg_user;
        chat_leave_delay   0s;
        chat_authorize     /slow timeout=60s;
    }

    location /down {
        chat            chat;
        chat_user       $arg_user;
        chat_authorize  /nobody;
    }

    location /missing {
        chat            chat;
        chat_authorize  /missing/location;
    }

    location = /ask {
        internal;
        proxy_pass_request_body  off;
        proxy_set_header  X-Room  $chat_room;
        proxy_set_header  X-User  $chat_user;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_SERVER_PORT/verdict;
    }

    location = /verdict {
        add_header  X-Chat-Role  $role always;

        if ($verdict = 401) { return 401; }
        if ($verdict = 403) { return 403; }
        if ($verdict = 500) { return 500; }
        if ($verdict = 302) { return 302 /; }
        return 204;
    }

    location = /slow {
        internal;
        proxy_set_header  X-Room  $chat_room;
        proxy_set_header  X-User  $chat_user;
        proxy_set_header  X-Role  $chat_role;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location = /nobody {
        internal;
        proxy_pass  http://127.0.0.1:1;
    }

    location /missing/location {
        internal;
        root  html;
    }
_EOC_


# a thousand clients and their questions' connections, on whatever worker

worker_connections(4096);


# how many sockets the workers have

sub main::sockets {
    my %worker = $main::Server->workers;

    return scalar grep { (readlink($_) // '') =~ /^socket:/ }
                  map { glob "/proc/$_/fd/*" } keys %worker;
}


sub main::sockets_soon {
    my ($script, $n) = @_;

    for my $try (1 .. 100) {
        return if main::sockets() == $n;
        Test::Nginx::Chat::Client->until(0.1, sub { 0 });
    }

    die 'there are ' . main::sockets() . " sockets, not $n\n";
}


# of a crowd that leaves at once, some are gone later than their sockets

sub main::alone_soon {
    my ($script, $who) = @_;

    my $client = $script->client($who);
    my $n;

    for my $try (1 .. 100) {
        $client->frame(op => 1, payload => '{"type":"members","id":"n",'
                                           . '"room":"open"}');
        $n = Test::Nginx::Chat::Match::decode(
                 $script->get($client)->{payload})->{members};

        return if $n == 1;
        Test::Nginx::Chat::Client->until(0.1, sub { 0 });
    }

    die "there are $n members\n";
}

play();

__DATA__

=== TEST 1: who is let in, and who is not
--- chat
alice connect /chat?user=alice
alice skip {"type":"welcome"}
alice > {"type":"join","id":1,"room":"open"}
alice < {"type":"ok","id":1,"room":"open","role":"member"}
alice > {"type":"join","id":2,"room":"closed"}
alice < {"type":"error","id":2,"code":"forbidden","message":"you are not allowed into this room"}
log 1 ~client was refused by the backend that is asked, room: "[^"]+".*user: "alice"
alice > {"type":"join","id":3,"room":"unknown"}
alice < {"type":"error","id":3,"code":"forbidden"}
alice > {"type":"join","id":4,"room":"broken"}
alice < {"type":"error","id":4,"code":"unavailable"}
alice > {"type":"join","id":5,"room":"moved"}
alice < {"type":"error","id":5,"code":"unavailable"}
alice > {"type":"join","id":6,"room":"strange"}
alice < {"type":"error","id":6,"code":"unavailable"}
alice > {"type":"send","id":7,"room":"closed","text":"x"}
alice < {"type":"error","id":7,"code":"not_joined"}
alice > {"type":"join","id":8,"room":"@alice"}
alice < {"type":"ok","id":8}
log 3 ~who may join cannot be found out: "/ask" .*, room: "[^"]*".*, user: "alice"



=== TEST 2: a role, in that room alone
--- chat
alice connect /chat?user=alice
alice skip {"type":"welcome"}
bob connect /chat?user=bob other=alice
bob skip {"type":"welcome"}
alice > {"type":"join","id":1,"room":"led"}
alice < {"type":"ok","id":1,"role":"moderator"}
alice > {"type":"join","id":2,"room":"open"}
alice < {"type":"ok","id":2,"role":"member"}
bob > {"type":"join","id":1,"room":"open"}
bob < {"type":"ok","id":1}
alice > {"type":"mute","id":3,"room":"led","user":"bob"}
alice < {"type":"ok","id":3}
alice < {"type":"muted"}
alice > {"type":"mute","id":4,"room":"open","user":"bob"}
alice < {"type":"error","id":4,"code":"forbidden"}
alice > {"type":"leave","id":5,"room":"led"}
alice < {"type":"ok","id":5}
alice > {"type":"mute","id":6,"room":"led","user":"bob"}
alice < {"type":"error","id":6,"code":"forbidden"}



=== TEST 3: the location's own room
--- chat
alice connect /chat?user=alice&room=led
alice < {"type":"welcome"}
alice < {"type":"joined","room":"led","role":"moderator"}
bob connect /chat?user=bob&room=closed
bob < {"type":"welcome"}
bob < {"type":"error","code":"forbidden"}
bob > {"type":"ping","id":1}
bob < {"type":"ok","id":1}



=== TEST 4: what is said behind a join waits for its answer
--- chat
alice connect /later?user=alice | Cookie: badge=red
alice skip {"type":"welcome"}
bob connect /later?user=bob same=alice
bob skip {"type":"welcome"}
alice cork
alice > {"type":"join","id":1,"room":"lobby"}
alice > {"type":"send","id":2,"room":"lobby","text":"one"}
alice > {"type":"ping","id":3}
alice flush
ok main::asked(1)
ok main::sent() =~ /^X-Room: lobby\r\n/m
ok main::sent() =~ /^X-User: alice\r\n/m
ok main::sent() =~ /^X-Role: member\r\n/m
ok main::sent() =~ /^Cookie: badge=red\r\n/mi
ok main::sent() !~ /Sec-WebSocket/i
alice > {"type":"ping","id":4}
bob > {"type":"ping","id":1}
bob < {"type":"ok","id":1}
alice nothing 200ms
ok main::answer(200, 'X-Chat-Role: owner')
alice < {"type":"ok","id":1,"role":"owner"}
alice < {"type":"ok","id":2,"seq":1}
alice < {"type":"ok","id":3}
alice < {"type":"ok","id":4}
alice < {"type":"message","seq":1}



=== TEST 5: the room at connect, with frames in the handshake's segment
--- chat
alice connect /later?user=alice&room=lobby plus=818300000000787878
alice < {"type":"welcome"}
ok main::asked(1)
alice nothing 200ms
ok main::answer(204)
alice < {"type":"joined","room":"lobby"}
alice < {"type":"error","code":"bad_json"}



=== TEST 6: clients that do not wait for their answer
--- chat
alice connect /later?user=alice
alice skip {"type":"welcome"}
bob connect /later?user=bob same=alice
bob skip {"type":"welcome"}
carol connect /later?user=carol same=alice
carol skip {"type":"welcome"}
alice > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
alice reset
bob > {"type":"join","id":1,"room":"lobby"}
ok main::asked(2)
bob drop
nginx reload
carol skip {"type":"bye"}
carol closed 1012
ok main::answer(200)
ok main::answer(200)
nginx renewed
dave connect /later?user=dave
dave skip {"type":"welcome"}
dave > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200)
dave < {"type":"ok","id":1,"members":1}



=== TEST 7: a backend that is too slow, and then all the same
--- chat
alice connect /impatient?user=alice
alice skip {"type":"welcome"}
alice > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
alice > {"type":"ping","id":2}
alice < {"type":"error","id":1,"code":"unavailable"}
alice < {"type":"ok","id":2}
ok main::let_go()
alice > {"type":"send","id":3,"room":"lobby","text":"x"}
alice < {"type":"error","id":3,"code":"not_joined"}
alice > {"type":"join","id":4,"room":"lobby"}
ok main::asked(1)
ok main::answer(200)
alice < {"type":"ok","id":4}
log ~"/slow" has not answered in 300 ms, room: "lobby".*client: 127.*user: "alice"



=== TEST 8: a backend that is down, or breaks off, or is no location
--- chat
alice connect /down?user=alice
alice skip {"type":"welcome"}
alice > {"type":"join","id":1,"room":"lobby"}
alice < {"type":"error","id":1,"code":"unavailable"}
bob connect /later?user=bob
bob skip {"type":"welcome"}
bob > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer('nonsense')
bob < {"type":"error","id":1}
carol connect /missing
carol skip {"type":"welcome"}
carol > {"type":"join","id":1,"room":"lobby"}
carol < {"type":"error","id":1,"code":"unavailable"}



=== TEST 9: answers that are kept, by user and room
--- chat
alice connect /kept?user=alice
alice skip {"type":"welcome"}
again connect /kept?user=alice same=alice
again skip {"type":"welcome"}
bob connect /kept?user=bob same=alice
bob skip {"type":"welcome"}
alice > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Role: moderator')
alice < {"type":"ok","id":1,"role":"moderator"}
again > {"type":"join","id":1,"room":"lobby"}
again < {"type":"ok","id":1,"role":"moderator"}
ok main::quiet()
bob > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(403)
bob < {"type":"error","id":1,"code":"forbidden"}
bob > {"type":"join","id":2,"room":"lobby"}
bob < {"type":"error","id":2,"code":"forbidden"}
bob > {"type":"join","id":3,"room":"other"}
ok main::asked(1)
ok main::answer(503)
bob < {"type":"error","id":3,"code":"unavailable"}
bob > {"type":"join","id":4,"room":"other"}
ok main::asked(1)
ok main::answer(200)
bob < {"type":"ok","id":4}



=== TEST 10: a key of one's own
--- chat
alice connect /keyed?user=alice | Cookie: group=red
alice skip {"type":"welcome"}
bob connect /keyed?user=bob same=alice | Cookie: group=red
bob skip {"type":"welcome"}
carol connect /keyed?user=carol same=alice | Cookie: group=blue
carol skip {"type":"welcome"}
alice > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200)
alice < {"type":"ok","id":1}
bob > {"type":"join","id":1,"room":"lobby"}
bob < {"type":"ok","id":1}
ok main::quiet()
carol > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(403)
carol < {"type":"error","id":1,"code":"forbidden"}



=== TEST 11: one who was kicked is asked for anew; one who resumes is not
--- chat
alice connect /later?user=alice
alice skip {"type":"welcome"}
mod connect /later?user=mod same=alice
mod skip {"type":"welcome"}
alice > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200)
alice < {"type":"ok","id":1}
alice > {"type":"join","id":2,"room":"lobby"}
alice < {"type":"ok","id":2}
mod > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Role: owner')
mod < {"type":"ok","id":1}
mod > {"type":"kick","id":2,"room":"lobby","user":"alice"}
mod < {"type":"ok","id":2}
alice < {"type":"kicked"}
alice > {"type":"join","id":3,"room":"lobby"}
ok main::asked(1)
ok main::answer(403)
alice < {"type":"error","id":3,"code":"forbidden"}



=== TEST 12: a thousand at once, and a late answer
--- chat
for n 1..1000
c$n connect /thousand?user=u$n
c$n skip {"type":"welcome"}
end
set sockets = main::sockets()
for n 1..1000
c$n > {"type":"join","id":1,"room":"open","history":0}
end
ok main::asked(1000)
for n 1..1000
ok main::answer(204)
end
for n 1..1000
c$n < {"type":"ok","id":1}
end
ok main::sockets() == $v{sockets}
for n 1..1000
c$n drop
end
last connect /thousand?user=last
last skip {"type":"welcome"}
perl sockets_soon $($v{sockets} - 999)
last > {"type":"join","id":1,"room":"open"}
ok main::asked(1)
ok main::answer(204)
last < {"type":"ok","id":1}
perl alone_soon last



=== TEST 13: mistakes
--- chat
conf bad location: chat chat; chat_authorize ask; => ~"ask" in "chat_authorize" directive, it must be the URI
conf bad location: chat chat; chat_authorize off timeout=5s; => ~"timeout=5s" in "chat_authorize" directive, it must be with a URI
conf bad location: chat chat; chat_authorize /ask timeout=0; => ~"timeout=" and a time up to 60s
conf bad location: chat chat; chat_authorize /a; chat_authorize /b; => ~"chat_authorize" directive is duplicate
conf bad location: chat chat; chat_authorize_cache 2d; => ~a time up to 1d
conf bad location: chat chat; chat_authorize /a; chat_protocol raw; chat_room x; => ~"chat_authorize" is not for "chat_protocol raw"
conf good location: chat chat; chat_authorize /a timeout=5s; chat_authorize_cache 1m $chat_user$chat_room;



=== TEST 14: an answer without a role keeps none
A kept answer is the user's in all of his connections; the role that one of
them came with is not.
--- chat
owner connect /kept?user=alice&role=owner
owner skip {"type":"welcome"}
member connect /kept?user=alice same=owner
member skip {"type":"welcome"}
owner > {"type":"join","id":1,"room":"plain"}
ok main::asked(1)
ok main::answer(204)
owner < {"type":"ok","id":1,"role":"owner"}
owner > {"type":"leave","id":2,"room":"plain"}
owner < {"type":"ok","id":2}
member > {"type":"join","id":1,"room":"plain"}
member < {"type":"ok","id":1,"role":"member"}
ok main::quiet()



=== TEST 15: rooms are told to those who are in them
--- chat
alice connect /chat?user=alice
alice skip {"type":"welcome"}
bob connect /chat?user=bob other=alice
bob skip {"type":"welcome"}
alice > {"type":"join","id":1,"room":"open"}
alice < {"type":"ok","id":1}
bob > {"type":"rooms","id":1}
bob < {"type":"ok","id":1,"rooms":[]}
alice > {"type":"rooms","id":2}
alice < {"type":"ok","id":2,"rooms":[{"room":"open","members":1}]}
bob > {"type":"join","id":2,"room":"open"}
bob < {"type":"ok","id":2}
bob > {"type":"rooms","id":3}
bob < {"type":"ok","id":3,"rooms":[{"room":"open","members":2}]}



=== TEST 16: a yes is one beside rules, which know the role that it gave
--- chat
alice connect /both?user=alice
alice skip {"type":"welcome"}
alice > {"type":"join","id":1,"room":"open"}
alice < {"type":"error","id":1,"code":"forbidden","message":"an access rule does not allow this"}
alice > {"type":"join","id":2,"room":"led"}
alice < {"type":"ok","id":2,"role":"moderator"}
