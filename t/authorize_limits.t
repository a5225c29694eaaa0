
# Tests for the limits that chat_authorize's backend sets: of one user, in one
# room, over all workers, and each edge of each header.

use lib 't/lib';
use Test::Nginx::Chat;
use Test::Nginx::Chat::Backend;

default_http_config(<<'_EOC_');
    chat_zone  chat:2m;
    chat_rate  off;
_EOC_

default_config(<<'_EOC_');
    location /chat {
        chat            chat;
        chat_user       $arg_user;
        chat_room       $arg_room;
        chat_authorize  /backend;
    }

    location /kept {
        chat                  chat;
        chat_user             $arg_user;
        chat_authorize        /backend;
        chat_authorize_cache  10s;
    }

    location /small {
        chat               chat;
        chat_user          $arg_user;
        chat_authorize     /backend;
        chat_message_size  200;
    }

    location /rated {
        chat            chat;
        chat_user       $arg_user;
        chat_rate       rate=1r/m burst=4;
        chat_authorize  /backend;
    }

    location /paced {
        chat            chat;
        chat_user       $arg_user;
        chat_rate       rate=30r/m burst=1 action=delay;
        chat_authorize  /backend;
    }

    location = /backend {
        internal;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
_EOC_

play();

__DATA__

=== TEST 1: the reply tells what was set, and nothing else
--- chat
a connect /chat?user=alice
a skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"all"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Rate: 30r/m', 'X-Chat-Burst: 3', 'X-Chat-Message-Size: 1k')
a < {"type":"ok","id":1,"limits":{"rate":0.5,"burst":3,"message_size":1024}}
a > {"type":"join","id":2,"room":"rate"}
ok main::asked(1)
ok main::answer(200, 'x-chat-rate: 10r/s')
a < {"type":"ok","id":2,"limits":{"rate":10,"burst":10,"message_size":"%absent"}}
a > {"type":"join","id":3,"room":"size"}
ok main::asked(1)
ok main::answer(200, 'X-CHAT-MESSAGE-SIZE: 512')
a < {"type":"ok","id":3,"limits":{"rate":"%absent","burst":"%absent","message_size":512}}
a > {"type":"join","id":4,"room":"none"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Role: owner')
a < {"type":"ok","id":4,"role":"owner","limits":"%absent"}
a > {"type":"join","id":5,"room":"all"}
a < {"type":"ok","id":5,"limits":{"rate":0.5,"burst":3,"message_size":1024}}
b connect /chat?user=bob&room=all
b skip {"type":"welcome"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Rate: 1r/s')
b < {"type":"joined","room":"all","limits":{"rate":1,"burst":10}}



=== TEST 2: one rate for a user in a room, over all workers
--- chat
a connect /chat?user=alice
a skip {"type":"welcome"}
b connect /chat?user=alice other=a
b skip {"type":"welcome"}
c connect /chat?user=carol other=a
c skip {"type":"welcome"}
for who a b c
$who > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Rate: 1r/m', 'X-Chat-Burst: 3')
$who < {"type":"ok","id":1}
end
a > {"type":"join","id":2,"room":"other"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Rate: 1r/m', 'X-Chat-Burst: 3')
a skip {"type":"ok","id":2}
a > {"type":"send","id":3,"room":"lobby","text":"1"}
a skip {"type":"ok","id":3,"seq":1}
b > {"type":"edit","id":2,"room":"lobby","seq":1,"text":"2"}
b skip {"type":"ok","id":2}
a > {"type":"react","id":4,"room":"lobby","seq":1,"emoji":"x"}
a skip {"type":"ok","id":4}
a > {"type":"send","id":5,"room":"lobby","text":"x"}
a skip {"type":"error","id":5,"code":"rate_limited","retry_after":"$after"}
ok $after > 0 && $after <= 60000
b > {"type":"send","id":5,"room":"lobby","text":"x"}
b skip {"type":"error","id":5,"code":"rate_limited"}
a > {"type":"edit","id":6,"room":"lobby","seq":1,"text":"x"}
a skip {"type":"error","id":6,"code":"rate_limited"}
a > {"type":"react","id":7,"room":"lobby","seq":1,"emoji":"y"}
a skip {"type":"error","id":7,"code":"rate_limited"}
a > {"type":"typing","id":8,"room":"lobby"}
a skip {"type":"ok","id":8}
a > {"type":"delete","id":9,"room":"lobby","seq":1}
a skip {"type":"ok","id":9}
a > {"type":"send","id":10,"room":"other","text":"1"}
a skip {"type":"ok","id":10}
a > {"type":"send","id":11,"to":"carol","text":"1"}
a skip {"type":"ok","id":11}
c > {"type":"send","id":2,"room":"lobby","text":"1"}
c skip {"type":"ok","id":2}
a > {"type":"leave","id":12,"room":"lobby"}
a skip {"type":"ok","id":12}
a > {"type":"join","id":13,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Rate: 1r/m', 'X-Chat-Burst: 3')
a skip {"type":"ok","id":13}
a > {"type":"send","id":14,"room":"lobby","text":"x"}
a skip {"type":"error","id":14,"code":"rate_limited"}



=== TEST 3: what is told to wait for is enough, and another rate is another one
--- chat
a connect /chat?user=alice
a skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Rate: 4r/s', 'X-Chat-Burst: 1')
a < {"type":"ok","id":1}
a > {"type":"send","id":2,"room":"lobby","text":"1"}
a skip {"type":"message","seq":1}
a > {"type":"send","id":3,"room":"lobby","text":"x"}
a < {"type":"error","id":3,"retry_after":"$after"}
ok $after > 0 && $after <= 250
a nothing $(1 + $v{after})ms
a > {"type":"send","id":4,"room":"lobby","text":"2"}
a < {"type":"ok","id":4,"seq":2}
b connect /chat?user=alice other=a
b skip {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Rate: 1r/m', 'X-Chat-Burst: 1')
b skip {"type":"ok","id":1}
b > {"type":"send","id":2,"room":"lobby","text":"3"}
b skip {"type":"ok","id":2,"seq":3}
b > {"type":"send","id":3,"room":"lobby","text":"x"}
b skip {"type":"error","id":3}
d connect /chat?user=alice same=b
d skip {"type":"welcome"}
d > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Rate: 2r/m', 'X-Chat-Burst: 1')
d skip {"type":"ok","id":1}
d > {"type":"send","id":2,"room":"lobby","text":"4"}
d skip {"type":"ok","id":2,"seq":4}
c connect /chat?user=alice same=a
c skip {"type":"welcome"}
c > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200)
c skip {"type":"ok","id":1,"limits":"%absent"}
c > {"type":"send","id":2,"room":"lobby","text":"5"}
c skip {"type":"ok","id":2,"seq":5}



=== TEST 4: flooding on, whatever is sent elsewhere meanwhile
--- chat
a connect /chat?user=alice
a skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Rate: 1r/m', 'X-Chat-Burst: 1')
a < {"type":"ok","id":1}
a > {"type":"join","id":2,"room":"other"}
ok main::asked(1)
ok main::answer(200)
a < {"type":"ok","id":2}
a > {"type":"send","id":3,"room":"lobby","text":"1"}
a skip {"type":"ok","id":3}
for n 1..10
a > {"type":"send","id":$n,"room":"lobby","text":"x"}
a skip {"type":"error","id":$n,"code":"rate_limited"}
a > {"type":"send","id":$(100 + $n),"room":"other","text":"x"}
a skip {"type":"ok","id":$(100 + $n)}
end
a > {"type":"send","id":11,"room":"lobby","text":"x"}
a skip closed 1008
log 1 ~client sends too many messages
b connect /chat?user=bob
b skip {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Rate: 1r/s', 'X-Chat-Burst: 1')
b skip {"type":"ok","id":1}
for round 1 2
b cork
for n 0..6
b > {"type":"send","id":$n,"room":"lobby","text":"x"}
end
b flush
b < {"type":"ok","id":0}
for n 1..6
b < {"type":"error","id":$n,"code":"rate_limited"}
end
b < {"type":"message"}
b nothing 1100ms
end


=== TEST 5: chat_rate holds besides
--- chat
a connect /rated?user=alice
a skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Rate: 100r/s', 'X-Chat-Burst: 100')
a < {"type":"ok","id":1}
for n 1..3
a > {"type":"send","id":$n,"room":"lobby","text":"x"}
a skip {"type":"ok","id":$n}
end
a > {"type":"send","id":4,"room":"lobby","text":"x"}
a skip {"type":"error","id":4,"code":"rate_limited"}



=== TEST 6: a size, of the whole command
--- chat
a connect /chat?user=alice
a skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Message-Size: 100', 'X-Chat-Rate: 1r/m', 'X-Chat-Burst: 2')
a < {"type":"ok","id":1,"limits":{"message_size":100}}
set left = 100 - length '{"type":"send","id":2,"room":"lobby","text":""}'
a > {"type":"send","id":2,"room":"lobby","text":"$('x' x ($v{left} + 1))"}
a skip {"type":"error","id":2,"code":"too_large"}
a > {"type":"send","id":2,"room":"lobby","text":"$('x' x $v{left})"}
a skip {"type":"ok","id":2,"seq":1}
a > {"type":"edit","id":3,"room":"lobby","seq":1,"text":"$('x' x 100)"}
a skip {"type":"error","id":3,"code":"too_large"}
a > {"type":"send","id":4,"to":"alice","text":"$('x' x 100)"}
a skip {"type":"ok","id":4}
a > {"type":"delete","id":5,"room":"lobby","seq":1,"more":"$('x' x 100)"}
a skip {"type":"ok","id":5}
a > {"type":"send","id":6,"room":"lobby","text":""}
a skip {"type":"ok","id":6}



=== TEST 7: a size that is none here
--- chat
a connect /small?user=alice
a skip {"type":"welcome","limits":{"message_size":200}}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Message-Size: 1k')
a < {"type":"ok","id":1,"limits":"%absent"}
a > {"type":"send","id":2,"room":"lobby","text":"$('x' x 200)"}
a skip {"type":"error","id":2,"code":"too_large"}
a > {"type":"join","id":3,"room":"rate"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Message-Size: 200', 'X-Chat-Rate: 1r/s')
a < {"type":"ok","id":3,"limits":{"message_size":"%absent","rate":1}}
a > {"type":"send","id":4,"room":"rate","text":"$('x' x 140)"}
a skip {"type":"ok","id":4}



=== TEST 8: a moderator is held to them, too
--- chat
a connect /chat?user=alice
a skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Role: moderator', 'X-Chat-Rate: 1r/m', 'X-Chat-Burst: 1')
a < {"type":"ok","id":1,"role":"moderator","limits":{"burst":1}}
a > {"type":"send","id":2,"room":"lobby","text":"1"}
a skip {"type":"ok","id":2}
a > {"type":"send","id":3,"room":"lobby","text":"x"}
a skip {"type":"error","id":3,"code":"rate_limited"}
a > {"type":"set","id":4,"room":"lobby","topic":"moderation is not a message"}
a skip {"type":"ok","id":4}



=== TEST 9: a kept answer keeps them
--- chat
a connect /kept?user=alice
a skip {"type":"welcome"}
b connect /kept?user=alice same=a
b skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Rate: 1r/m', 'X-Chat-Burst: 1', 'X-Chat-Message-Size: 100')
a < {"type":"ok","id":1}
b > {"type":"join","id":1,"room":"lobby"}
b < {"type":"ok","id":1,"limits":{"burst":1,"message_size":100}}
ok main::quiet()
a > {"type":"send","id":2,"room":"lobby","text":"1"}
a skip {"type":"ok","id":2}
b > {"type":"send","id":2,"room":"lobby","text":"x"}
b skip {"type":"error","id":2,"code":"rate_limited"}



=== TEST 10: they are not left with the room
--- chat
a connect /chat?user=alice
a skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Rate: 1r/m', 'X-Chat-Burst: 1')
a < {"type":"ok","id":1}
a > {"type":"send","id":2,"room":"lobby","text":"1"}
a skip {"type":"ok","id":2,"seq":1}
a > {"type":"leave","id":3,"room":"lobby"}
a skip {"type":"ok","id":3}
a > {"type":"edit","id":4,"room":"lobby","seq":1,"text":"x"}
a skip {"type":"error","id":4,"code":"not_joined"}
a > {"type":"delete","id":5,"room":"lobby","seq":1}
a skip {"type":"ok","id":5}



=== TEST 11: many rooms with them, and all go
--- chat
a connect /chat?user=alice
a skip {"type":"welcome"}
for n 1..20
a > {"type":"join","id":$n,"room":"r$n"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Rate: 1r/m', "X-Chat-Burst: $n")
a skip {"type":"ok","id":$n,"limits":{"burst":$n}}
end
for n 1..20
a > {"type":"leave","id":$n,"room":"r$n"}
a skip {"type":"ok","id":$n}
end
a > {"type":"join","id":21,"room":"r1"}
ok main::asked(1)
ok main::answer(200)
a skip {"type":"ok","id":21,"limits":"%absent"}



=== TEST 12: values that are good
--- chat
a connect /chat?user=alice
a skip {"type":"welcome"}
for value off 0 1r/m 1000000r/s
a > {"type":"join","id":"$value","room":"r$value"}
ok main::asked(1)
ok main::answer(200, "X-Chat-Rate: $value")
a < {"type":"ok","id":"$value"}
end
for value 1 6000 007
a > {"type":"join","id":"$value","room":"b$value"}
ok main::asked(1)
ok main::answer(200, "X-Chat-Burst:   $value  ", 'X-Chat-Rate: 1r/s')
a < {"type":"ok","id":"$value","limits":{"burst":$(0 + $v{value})}}
end
for value 1 1K 1m 2000000000
a > {"type":"join","id":"$value","room":"s$value"}
ok main::asked(1)
ok main::answer(200, "X-Chat-Message-Size: $value")
a < {"type":"ok","id":"$value"}
end
a > {"type":"join","id":3,"room":"burst"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Burst: 3')
a < {"type":"ok","id":3,"limits":"%absent"}
a > {"type":"join","id":4,"room":"off"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Rate: off')
a < {"type":"ok","id":4,"limits":"%absent"}



=== TEST 13: values that are none
--- chat
a connect /chat?user=alice
a skip {"type":"welcome"}
for value OFF 10 10r/h 10R/S r/s 1 0r/s -1r/s +1r/s 1.5r/s 1000001r/s 99999999999999999999r/s 10r/ms off,off
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, "X-Chat-Rate: $value")
a < {"type":"error","id":1,"code":"unavailable"}
log 1 ~"/backend" has answered with "X-Chat-Rate: $(quotemeta $v{value})", it must be "off", 0, or
end
for value 0 -1 6001 99999999999999999999 3k ten 1.5
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, "X-Chat-Burst: $value", 'X-Chat-Rate: 1r/s')
a < {"type":"error","id":1,"code":"unavailable"}
log 1 ~answered with "X-Chat-Burst: $(quotemeta $v{value})", it must be a number from 1 to 6000
end
for value 0 0k -1 1t k 1kb 99999999999999999999 9223372036854775807k 1.5k
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, "X-Chat-Message-Size: $value")
a < {"type":"error","id":1,"code":"unavailable"}
log 1 ~answered with "X-Chat-Message-Size: $(quotemeta $v{value})", it must be a size of at least 1
end
for value Owner MEMBER admin 3
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, "X-Chat-Role: $value")
a < {"type":"error","id":1,"code":"unavailable"}
log 1 ~answered with "X-Chat-Role: $(quotemeta $v{value})", it must be "member", "moderator" or "owner"
end
log no ~has answered with 200
a > {"type":"send","id":2,"room":"lobby","text":"x"}
a < {"type":"error","id":2,"code":"not_joined"}



=== TEST 14: with blanks, empty, twice
--- chat
a connect /chat?user=alice
a skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Rate: 10 r/m')
a < {"type":"error","id":1,"code":"unavailable"}
a > {"type":"join","id":2,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Message-Size: 1 k')
a < {"type":"error","id":2,"code":"unavailable"}
for name Role Rate Burst Message-Size
a > {"type":"join","id":3,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, "X-Chat-$name:")
a < {"type":"error","id":3,"code":"unavailable"}
log 1 ~answered with "X-Chat-$name: "
end
a > {"type":"join","id":4,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Rate: 10r/m', 'x-chat-rate: 10r/m')
a < {"type":"error","id":4,"code":"unavailable"}
log 1 ~answered with a second "x-chat-rate: 10r/m"
a > {"type":"join","id":5,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Role: member', 'X-Chat-Role: owner')
a < {"type":"error","id":5,"code":"unavailable"}
a > {"type":"join","id":6,"room":"lobby"}
ok main::asked(1)
ok main::answer(403, 'X-Chat-Rate: nonsense')
a < {"type":"error","id":6,"code":"forbidden"}
a > {"type":"join","id":7,"room":"lobby"}
ok main::asked(1)
ok main::answer(200, 'X-Chat-Rates: nonsense', 'X-Chat: 1', 'X-Chat-Rat: 1', 'X-Chat-Role-Rate: 1')
a < {"type":"ok","id":7,"limits":"%absent"}



=== TEST 15: an answer does not let through what a rate holds back
--- chat
a connect /paced?user=alice
a skip {"type":"welcome"}
set start = Time::HiRes::time()
a > {"type":"ping","id":1}
a < {"type":"ok","id":1}
a > {"type":"join","id":2,"room":"lobby"}
ok main::asked(1)
ok main::answer(403)
a < {"type":"error","id":2,"code":"forbidden"}
a > {"type":"ping","id":3}
a < {"type":"ok","id":3}
ok Time::HiRes::time() - $start > 1.5
