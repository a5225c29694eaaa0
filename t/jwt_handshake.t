
# Tests for tokens in the handshake: where they may stand, who is let in by
# them, and that none of them comes into a log.

use lib 't/lib';
use Test::Nginx::Chat;
use Test::Nginx::Chat::Token;

default_http_config(<<'_EOC_');
    chat_zone   chat:2m;
    log_format  claims '$chat_user/$chat_jwt_claim_sub/$chat_jwt_claim_level/'
                       '$chat_jwt_claim_nothing';
    log_format  full   '$request $request_uri $args $arg_token';
    map $chat_jwt_claim_admin $mapped {
        true     owner;
        default  member;
    }
    access_log  logs/full.log full;
    chat_jwt_claims leeway=0s;
    large_client_header_buffers 4 64k;
_EOC_

default_config(<<'_EOC_');
    location /chat {
        chat       chat;
        chat_jwt   key=../html/secret;
        chat_log   logs/claims.log claims;
    }

    location /members {
        chat         chat;
        chat_jwt     key=../html/secret alg=HS256;
        chat_guests  off;
        chat_room    $chat_jwt_claim_room;
        chat_user_name  $chat_jwt_claim_name;
        chat_user_role  $mapped;
    }

    location /cookie {
        chat            chat;
        chat_jwt        key=../html/secret;
        chat_jwt_token  $cookie_session;
    }

    location /header {
        chat            chat;
        chat_jwt        key=../html/secret;
        chat_jwt_token  $http_x_token;
    }

    location /argument {
        chat            chat;
        chat_jwt        key=../html/secret;
        chat_jwt_token  $arg_jwt_1;
        chat_guests     off;
    }

    location /braces {
        chat            chat;
        chat_jwt        key=../html/secret;
        chat_jwt_token  ${arg_jwt_2};
    }

    location /moved {
        chat      chat;
        chat_jwt  key=../html/secret;
        rewrite   ^ /members last;
    }

    location /email {
        chat       chat;
        chat_jwt   key=../html/secret;
        chat_user  $chat_jwt_claim_email;
    }

    location /rules {
        chat             chat;
        chat_jwt         key=../html/secret alg=HS384,HS512;
        chat_jwt_claims  iss=https://id/ iss=https://other/ aud=chat leeway=60s;
    }

    location /open {
        chat       chat;
        chat_user  $arg_user;
    }

    location /denied {
        chat       chat;
        chat_jwt   key=../html/secret;
        deny       all;
    }
_EOC_

secret_file();
play();


# Of the lines of a debugging log, those of nginx itself show what came: bytes
# and headers, and the request line before its location is known.

sub debugged {
    my ($script, $token) = @_;

    my @lines = grep { /\Q$token\E/ } $script->{server}->log;
    my @ours = grep { !/ http (?:header|request line|args): "/ } @lines;

    die "nginx itself shows none\n" if !@lines;
    die "@ours" if @ours;
}

__DATA__

=== TEST 1: each place
--- chat
set t = main::token(sub => 'alice')
a connect /chat | Authorization: Bearer $t
a < {"type":"welcome","user":"alice","name":"alice","guest":false}
b connect /chat | Authorization: bearer  $t
b < {"type":"welcome","user":"alice"}
c connect /chat?token=$t
c < {"type":"welcome","user":"alice"}
d connect /chat | Cookie: a=b; chat_token=$t; c=d
d < {"type":"welcome","user":"alice"}
e connect /chat | Sec-WebSocket-Protocol: chat.v1, bearer.$t
e header Sec-WebSocket-Protocol: chat.v1
e < {"type":"welcome","user":"alice"}
f connect /chat | Sec-WebSocket-Protocol: bearer.$t
f header no Sec-WebSocket-Protocol
f < {"type":"welcome","user":"alice"}
g connect /chat | Sec-WebSocket-Protocol: bearer.$t ,other | +Sec-WebSocket-Protocol: chat.v1
g header Sec-WebSocket-Protocol: chat.v1
g < {"type":"welcome","user":"alice"}
h connect /moved?token=$t
h < {"type":"welcome","user":"alice"}



=== TEST 2: without a token
--- chat
a connect /chat
a < {"type":"welcome","guest":true}
a refused 401 /members
a header WWW-Authenticate: Bearer
b connect /chat?token=
b < {"type":"welcome","guest":true}
c connect /chat | Authorization: Basic YTpi
c < {"type":"welcome","guest":true}



=== TEST 3: one that is bad is refused, also where guests are let in
--- chat
set t = main::token(sub => 'alice')
set bad = main::token({secret => 'x' x 32}, sub => 'alice')
set none = main::token({alg => 'none'}, sub => 'alice')
set old = main::token(sub => 'alice', exp => time() - 1)
set early = main::token(sub => 'alice', nbf => time() + 60)
set nobody = main::token(iss => 'someone')
a refused 401 /chat?token=$bad
a header WWW-Authenticate: Bearer
a refused 401 /chat?token=$none
a refused 401 /chat?token=$old
a refused 401 /chat?token=$early
a refused 401 /chat?token=abc
a refused 401 /chat?token=a.b.c
a refused 401 /chat?token=$t.
a refused 401 /chat | Authorization: Bearer $bad
a refused 401 /chat | Authorization: Bearer
a refused 401 /chat | Cookie: chat_token=$bad
a refused 401 /chat | Sec-WebSocket-Protocol: chat.v1, bearer.$bad
a refused 401 /chat | Sec-WebSocket-Protocol: chat.v1, bearer.
a refused 401 /chat | Sec-WebSocket-Protocol: bearer.$t, bearer.$t
a refused 403 /chat?token=$nobody
a refused 403 /chat?token=$(main::token(SUB => 'alice'))
a refused 403 /chat?token=$(main::token(Sub => {a => 1}))
a refused 401 /members?token=$bad
log ~refused with 401: the token's signature does not hold
log ~refused with 401: the token has expired



=== TEST 4: the place that is chosen comes before what a browser sends
--- chat
set alice = main::token(sub => 'alice')
set bob = main::token(sub => 'bob')
set bad = main::token({secret => 'x' x 32}, sub => 'alice')
a connect /chat | Sec-WebSocket-Protocol: bearer.$alice | Cookie: chat_token=$bob
a < {"type":"welcome","user":"alice"}
a connect /chat?token=$alice | Cookie: chat_token=$bad
a < {"type":"welcome","user":"alice"}
a refused 401 /chat?token=$bad | Cookie: chat_token=$alice



=== TEST 5: a place of one's own, and no other
--- chat
set t = main::token(sub => 'alice')
a connect /cookie | Cookie: session=$t
a < {"type":"welcome","user":"alice"}
a connect /cookie?token=$t | Cookie: chat_token=$t | Authorization: Bearer $t
a < {"type":"welcome","guest":true}
a connect /header | X-Token: $t
a < {"type":"welcome","user":"alice"}
a connect /header | X-Token: Bearer $t
a < {"type":"welcome","user":"alice"}
a refused 401 /header | X-Token: nonsense



=== TEST 6: claims in directives and logs
--- chat
set t = main::token(sub => 'alice', name => 'Al "x"', room => 'lobby', admin => 'true', level => 7)
a connect /members?token=$t
a < {"type":"welcome","user":"alice","name":"Al \"x\""}
a < {"type":"joined","room":"lobby","role":"owner"}
b connect /chat?token=$t
b < {"type":"welcome","user":"alice"}
b close 1000
b closed 1000
log in claims.log 1 ~^alice/alice/7/-$
c connect /email?token=$(main::token(sub => 'u1', email => 'al@example.com'))
c < {"type":"welcome","user":"al@example.com"}
d connect /email?token=$(main::token(sub => 'u1'))
d < {"type":"welcome","user":"u1"}



=== TEST 7: issuer, audience, algorithms, leeway
--- chat
set good = main::token({alg => 'HS512'}, sub => 'a', iss => 'https://id/', aud => ['x', 'chat'], exp => time() - 30)
set other = main::token({alg => 'HS384'}, sub => 'a', iss => 'https://other/', aud => 'chat')
set iss = main::token({alg => 'HS512'}, sub => 'a', iss => 'https://evil/', aud => 'chat')
set aud = main::token({alg => 'HS512'}, sub => 'a', iss => 'https://id/', aud => 'x')
set none = main::token({alg => 'HS512'}, sub => 'a', iss => 'https://id/')
set alg = main::token({alg => 'HS256'}, sub => 'a', iss => 'https://id/', aud => 'chat')
set old = main::token({alg => 'HS512'}, sub => 'a', iss => 'https://id/', aud => 'chat', exp => time() - 61)
a connect /rules?token=$good
a < {"type":"welcome","user":"a"}
a connect /rules?token=$other
a < {"type":"welcome","user":"a"}
a refused 401 /rules?token=$iss
a refused 401 /rules?token=$aud
a refused 401 /rules?token=$none
a refused 401 /rules?token=$alg
a refused 401 /rules?token=$old



=== TEST 8: tokens are no business of a location without
--- chat
a connect /open?user=alice&token=$(main::token({secret => 'x' x 32}, sub => 'bob'))
a < {"type":"welcome","user":"alice"}



=== TEST 9: no token in any log, whoever refuses
--- chat
set t = main::token(sub => 'alice')
set bad = main::token({secret => 'x' x 32}, sub => 'alice')
a connect /chat?token=$t&a=b
a < {"type":"welcome","user":"alice"}
a > {"type":"auth","id":1,"token":"$t"}
a < {"type":"ok","id":1}
a > {"type":"auth","id":2,"token":"$bad"}
a < {"type":"error","id":2,"code":"unauthorized"}
b refused 401 /chat?token=$bad
b refused 403 /denied?token=$t
c connect /chat | Sec-WebSocket-Protocol: chat.v1, bearer.$t
c < {"type":"welcome","user":"alice"}
a close 1000
a closed 1000
log in full.log ~token=\*+&a=b
log in full.log no ~$(quotemeta(substr($t, -20)))
log in full.log no ~$(quotemeta(substr($bad, -20)))
log no ~$(quotemeta(substr($t, -20)))
log no ~$(quotemeta(substr($bad, -20)))
log in claims.log no ~$(quotemeta(substr($t, -20)))
d refused 401 /chat?token=x&token=$t&a=1
log in full.log ~token=x&token=\*+&a=1
e connect /argument?jwt_1=$t&a=2
e < {"type":"welcome","user":"alice"}
log in full.log ~jwt_1=\*+&a=2
g connect /braces?jwt_2=$t&a=4
g < {"type":"welcome","user":"alice"}
log in full.log ~jwt_2=\*+&a=4
f refused 401 /argument?token=$t&jwt_1=$bad&jwt_1=$t&a=3
log in full.log ~token=\*+&jwt_1=\*+&jwt_1=\*+&a=3
log in full.log no ~$(quotemeta(substr($t, -20)))
log in full.log no ~$(quotemeta(substr($bad, -20)))
log no ~$(quotemeta(substr($t, -20)))
log no ~$(quotemeta(substr($bad, -20)))



=== TEST 10: nor in a debugging log, but for what nginx shows of all requests
--- log_level: debug
--- chat
set t = main::token(sub => 'alice', exp => time() + 2)
set bad = main::token({secret => 'x' x 32}, sub => 'alice')
a connect /chat?token=$t
a < {"type":"welcome","user":"alice"}
a > {"type":"auth","id":1,"token":"$t"}
a < {"type":"ok","id":1}
a > {"type":"auth","id":2,"token":"$bad"}
a < {"type":"error","id":2,"code":"unauthorized"}
a skip closed 4001
b refused 401 /chat?token=$bad
c refused 401 /chat | Sec-WebSocket-Protocol: chat.v1, bearer.$t
perl debugged $(substr($t, -20))
perl debugged $(substr($bad, -20))



=== TEST 11: a line of nothing but tokens costs one look at it
--- chat
set line = join '&', map { sprintf 'token=%016d', $_ } 1 .. 2500
within 5s
for i 1..10
a refused 401 /chat?$line&i=$i
end
end
log in full.log ~token=\*+&token=\*+&i=10
log in full.log no ~0001
