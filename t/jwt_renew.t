
# Tests for tokens that end while their session is there, and for those that
# come only in a frame: the event before the end, the close, "auth" in time.

use lib 't/lib';
use Test::Nginx::Chat;
use Test::Nginx::Chat::Token;

default_http_config(<<'_EOC_');
    chat_zone   chat:2m;
    log_format  claims '$chat_user/$chat_jwt_claim_sub/$chat_jwt_claim_level';
    log_format  access '$status $chat_user $chat_jwt_claim_sub';
    chat_jwt_claims leeway=0s;
    chat_auth_timeout 300ms;
    chat_log    logs/claims.log claims;
    access_log  logs/chat_access.log access;

    map $chat_jwt_claim_email $box {
        default  "";
        "~^(?<name>[^@]+)@example.com$"  $name;
    }

    map $chat_jwt_claim_level $role {
        default  member;
        9        moderator;
    }

    map $chat_user $place {
        default  $chat_user;
    }
_EOC_

default_config(<<'_EOC_');
    location /chat {
        chat       chat;
        chat_jwt   key=../html/secret;
        chat_user_role  $chat_jwt_claim_role;
        chat_user_name  $chat_jwt_claim_name;
    }

    location /email {
        chat       chat;
        chat_jwt   key=../html/secret;
        chat_user  $chat_jwt_claim_email;
    }

    location /kept {
        chat       chat;
        chat_jwt   key=../html/secret;
        chat_keep_request on;
    }

    location /later {
        chat               chat;
        chat_jwt           key=../html/secret;
        chat_guests        off;
        chat_auth_timeout  10s;
        chat_room          $arg_room;
        chat_user_name     $http_x_name;
    }

    location /later_kept {
        chat               chat;
        chat_jwt           key=../html/secret;
        chat_guests        off;
        chat_auth_timeout  10s;
        chat_keep_request  on;
    }

    location /soon {
        chat               chat;
        chat_jwt           key=../html/secret;
        chat_guests        off;
        chat_auth_timeout  300ms;
    }

    location /guests {
        chat               chat;
        chat_jwt           key=../html/secret;
    }

    location /raw {
        chat               chat;
        chat_protocol      raw;
        chat_room          raw;
        chat_jwt           key=../html/secret;
        chat_guests        off;
    }

    location /leeway {
        chat               chat;
        chat_jwt           key=../html/secret;
        chat_jwt_claims    leeway=3s;
    }

    location /open {
        chat       chat;
        chat_user  $arg_user;
    }

    location /rate {
        chat               chat;
        chat_jwt           key=../html/secret;
        chat_guests        off;
        chat_auth_timeout  10s;
        chat_rate          rate=1000r/s;
    }

    # what a map has made of the claims of before is nobody's any more
    location /map {
        chat               chat;
        chat_jwt           key=../html/secret;
        chat_guests        off;
        chat_auth_timeout  10s;
        chat_user          $box;
        chat_user_role     $role;
        chat_connections   1 key=$place;
        chat_revoked       ../html/revoked;
    }
_EOC_

secret_file();
key_file(revoked => 'token stolen');

# the seconds that some handshakes may take

sub handshakes {
    return 3 * ($ENV{TEST_NGINX_SLOWNESS} || 1);
}

play();

__DATA__

=== TEST 1: the word before the end, and the end
--- chat
set exp = time() + 3
set t = main::token(sub => 'alice', exp => $exp)
a connect /chat?token=$t
a < {"type":"welcome","user":"alice","expires":$(1000 * $exp)}
b connect /chat?token=$(main::token(sub => 'bob')) other=a
b < {"type":"welcome","user":"bob","expires":"%absent"}
within 4s
a < {"type":"expiring","expires":$(1000 * $exp)}
ok Time::HiRes::time() < $exp
a closed 4001
end
ok Time::HiRes::time() > $exp - 0.1
b > {"type":"ping","id":1}
b < {"type":"ok","id":1}
log 1 ~client's token has expired
log 1 ~has expired while chatting, client: 127.0.0.1, server: \S+, user: "alice", session: [0-9a-f]{32}\n



=== TEST 2: goes on with a new one, without a break
--- chat
set exp = time() + 3
a connect /chat?token=$(main::token(sub => 'alice', exp => $exp))
a < {"type":"welcome","user":"alice"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
a < {"type":"expiring","expires":$(1000 * $exp)}
set later = $exp + 1000
a > {"type":"auth","id":"x","token":"$(main::token(sub => 'alice', exp => $later, level => 2))"}
a < {"type":"ok","id":"x","user":"alice","expires":$(1000 * $later)}
a nothing $($exp + 1 - time())s
a > {"type":"send","id":2,"room":"lobby","text":"still here"}
a skip {"type":"ok","id":2}
a > {"type":"auth","id":3,"token":"$(main::token(sub => 'alice', level => 3))"}
a skip {"type":"ok","id":3,"user":"alice","expires":null}
a close 1000
a closed 1000
log in claims.log 1 ~^alice/alice/3$



=== TEST 3: a new one that does not do
--- chat
a connect /chat?token=$(main::token(sub => 'alice', iss => 'one'))
a < {"type":"welcome","user":"alice"}
a > {"type":"auth","id":1,"token":"$(main::token(sub => 'bob', iss => 'one'))"}
a < {"type":"error","id":1,"code":"forbidden"}
a > {"type":"auth","id":2,"token":"$(main::token(sub => 'alice', iss => 'two'))"}
a < {"type":"error","id":2,"code":"forbidden"}
a > {"type":"auth","id":3,"token":"$(main::token(iss => 'one'))"}
a < {"type":"error","id":3,"code":"forbidden"}
a > {"type":"auth","id":4,"token":"$(main::token(sub => 'alice', iss => 'one', exp => time() - 1))"}
a < {"type":"error","id":4,"code":"expired"}
a > {"type":"auth","id":5,"token":"$(main::token({secret => 'x' x 32}, sub => 'alice', iss => 'one'))"}
a < {"type":"error","id":5,"code":"unauthorized"}
a > {"type":"auth","id":6,"token":"nonsense"}
a < {"type":"error","id":6,"code":"unauthorized"}
a > {"type":"auth","id":7}
a < {"type":"error","id":7,"code":"bad_request","field":"token"}
a > {"type":"auth","id":8,"token":"$(main::token(sub => 'alice', iss => 'one'))"}
a < {"type":"ok","id":8,"user":"alice"}



=== TEST 4: a user that is made of a claim
--- chat
a connect /email?token=$(main::token(sub => '1', email => 'a@x'))
a < {"type":"welcome","user":"a@x"}
a > {"type":"auth","id":1,"token":"$(main::token(sub => '1', email => 'b@x'))"}
a < {"type":"error","id":1,"code":"forbidden"}
a > {"type":"auth","id":2,"token":"$(main::token(sub => '2', email => 'a@x'))"}
a < {"type":"error","id":2,"code":"forbidden"}
a > {"type":"auth","id":3,"token":"$(main::token(sub => '1', email => 'a@x'))"}
a < {"type":"ok","id":3,"user":"a@x"}



=== TEST 5: guests, and those who have a user from elsewhere
--- chat
a connect /chat
a < {"type":"welcome","guest":true}
a > {"type":"auth","id":1,"token":"$(main::token(sub => 'alice'))"}
a < {"type":"error","id":1,"code":"forbidden"}
b connect /open?user=alice
b < {"type":"welcome","user":"alice"}
b > {"type":"auth","id":1,"token":"$(main::token(sub => 'alice'))"}
b < {"type":"error","id":1,"code":"unauthorized"}



=== TEST 6: a role that is made of a claim changes with it
--- chat
a connect /chat?token=$(main::token(sub => 'alice', role => 'moderator'))
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"role":"moderator"}
a > {"type":"set","id":2,"room":"lobby","topic":"one"}
a skip {"type":"ok","id":2}
a > {"type":"auth","id":3,"token":"$(main::token(sub => 'alice'))"}
a skip {"type":"ok","id":3}
a > {"type":"set","id":4,"room":"lobby","topic":"two"}
a skip {"type":"error","id":4,"code":"forbidden"}
a > {"type":"auth","id":5,"token":"$(main::token(sub => 'alice', role => 'king'))"}
a < {"type":"error","id":5,"code":"unauthorized"}



=== TEST 7: where the request is kept
--- chat
a connect /kept?token=$(main::token(sub => 'alice', level => 1))
a < {"type":"welcome","user":"alice"}
a > {"type":"auth","id":1,"token":"$(main::token(sub => 'alice', level => 2))"}
a < {"type":"ok","id":1}
a > {"type":"auth","id":2,"token":"$(main::token(sub => 'bob'))"}
a < {"type":"error","id":2,"code":"forbidden"}
log 1 ~another user's while chatting, client: .*, user: "alice", session: [0-9a-f]{32}\n
a close 1000
a closed 1000
log in claims.log 1 ~^alice/alice/2$
log in chat_access.log 1 ~^101 alice alice$



=== TEST 8: a token in the first frame
--- chat
a connect /later?room=lobby | X-Name: Al
a nothing 100ms
a > {"type":"join","id":1,"room":"other"}
a < {"type":"error","id":1,"code":"unauthorized"}
a > {"type":"auth","id":2,"token":"$(main::token(sub => 'alice', exp => time() - 1))"}
a < {"type":"error","id":2,"code":"expired"}
a > {"type":"auth","id":3,"token":"$(main::token(sub => 'alice', level => 9))"}
a < {"type":"welcome","user":"alice","name":"Al","guest":false}
a < {"type":"joined","room":"lobby"}
a < {"type":"ok","id":3,"user":"alice","expires":null}
log in chat_access.log 1 ~^101 alice alice$
b connect /later?token=$(main::token(sub => 'bob')) other=a
b < {"type":"welcome","user":"bob"}
b > {"type":"join","id":1,"room":"lobby"}
b < {"type":"ok","id":1}
a > {"type":"send","id":4,"room":"lobby","text":"hi"}
b < {"type":"message","user":"alice","name":"Al","text":"hi"}
b > {"type":"send","id":2,"to":"alice","text":"psst"}
b skip {"type":"ok","id":2}
a skip {"type":"message","text":"psst","to":"alice"}
a close 1000
a closed 1000
log in claims.log 1 ~^alice/alice/9$
c refused 401 /later?token=nonsense



=== TEST 9: in the segment of the handshake, and with the request kept
--- chat
set json = '{"type":"auth","id":1,"token":"' . main::token(sub => 'alice') . '"}'
a connect /later_kept
a cork
a > $json
a > {"type":"ping","id":2}
a flush
a < {"type":"welcome","user":"alice"}
a < {"type":"ok","id":1}
a < {"type":"ok","id":2}
a close 1000
a closed 1000
log in claims.log 1 ~^alice/alice/-$



=== TEST 10: who does not say it in time
--- chat
a connect /soon
within 2s
a closed 4001
end
log 1 ~client has not said in time who it is
log no ~not said in time.*, user:
b connect /soon
b > {"type":"auth","id":1,"token":"$(main::token(sub => 'alice'))"}
b < {"type":"welcome","user":"alice"}
b < {"type":"ok","id":1}
b nothing 600ms
c connect /guests
c < {"type":"welcome","guest":true}
c nothing 600ms
d connect /soon
d drop



=== TEST 11: who tries too often
--- chat
a connect /later
for id 1..9
a > {"type":"auth","id":$id,"token":"nonsense"}
a < {"type":"error","id":$id,"code":"unauthorized"}
end
a > {"type":"ping","id":10}
a closed 1008



=== TEST 12: raw mode has no frame for it
--- chat
a refused 401 /raw
set exp = time() + 2
a connect /raw?token=$(main::token(sub => 'alice', exp => $exp))
a text hello
a recv text hello
within 4s
a closed 4001
end



=== TEST 13: one that is let in behind its time has the leeway
--- chat
set exp = time() - 1
a connect /leeway?token=$(main::token(sub => 'alice', exp => $exp))
a < {"type":"welcome","expires":$(1000 * ($exp + 3))}
within 4s
a skip closed 4001
end



=== TEST 14: over a reload
--- chat
a connect /later
b connect /chat?token=$(main::token(sub => 'bob', exp => time() + 100))
b < {"type":"welcome"}
nginx reload
b skip closed 1012
a skip closed 1012



=== TEST 15: sessions that go before their tokens
--- chat
set exp = time() + main::handshakes()
for who a b c
$who connect /chat?token=$(main::token(sub => 'x', exp => $exp))
$who < {"type":"welcome"}
end
a drop
b close 1000
b closed 1000
c > {"type":"auth","id":1,"token":"$(main::token(sub => 'x'))"}
c skip {"type":"ok","id":1}
d connect /chat?token=$(main::token(sub => 'd', exp => $exp + 1))
d skip closed 4001
log 1 ~client's token has expired
c > {"type":"ping","id":2}
c skip {"type":"ok","id":2}



=== TEST 16: who tries too often, where messages have a rate
--- chat
a connect /rate
for id 1..9
a > {"type":"auth","id":$id,"token":"nonsense"}
a < {"type":"error","id":$id,"code":"unauthorized"}
end
a > {"type":"ping","id":10}
a closed 1008



=== TEST 17: a user and a role that are made by a map, in the first frame
--- chat
a connect /map
a > {"type":"auth","id":1,"token":"$(main::token(sub => '1', email => 'alice@example.com', level => 9))"}
a < {"type":"welcome","user":"alice"}
a < {"type":"ok","id":1}
a > {"type":"join","id":2,"room":"lobby"}
a < {"type":"ok","id":2,"role":"moderator"}
b connect /map
b > {"type":"auth","id":1,"token":"$(main::token(sub => '1', email => 'alice@example.com'))"}
b closed 4008



=== TEST 18: a token that was refused says nothing of the next one's user
--- chat
a connect /map
a > {"type":"auth","id":1,"token":"$(main::token(sub => '1', email => 'alice@example.com', level => 9, jti => 'stolen'))"}
a < {"type":"error","id":1,"code":"unauthorized"}
a > {"type":"auth","id":2,"token":"$(main::token(sub => '2', email => 'mallory@example.com'))"}
a < {"type":"welcome","user":"mallory"}
a < {"type":"ok","id":2}
a > {"type":"join","id":3,"room":"lobby"}
a < {"type":"ok","id":3,"role":"member"}



=== TEST 19: a user and a role that are made by a map, renewed
--- chat
a connect /map?token=$(main::token(sub => '1', email => 'alice@example.com', level => 9))
a < {"type":"welcome","user":"alice"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"role":"moderator"}
a > {"type":"auth","id":2,"token":"$(main::token(sub => '1', email => 'bob@example.com', level => 9))"}
a < {"type":"error","id":2,"code":"forbidden"}
a > {"type":"auth","id":3,"token":"$(main::token(sub => '1', email => 'alice@example.com'))"}
a < {"type":"ok","id":3}
a > {"type":"set","id":4,"room":"lobby","topic":"mine"}
a < {"type":"error","id":4,"code":"forbidden"}
