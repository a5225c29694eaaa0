
# Tests for chat_rate: who is counted together, over all workers and
# connections, and what happens to who is over the rate.

use lib 't/lib';
use Test::Nginx::Chat;

# A rate so low that no token comes back while the test runs.

default_config(<<'_EOC_');
    location /chat {
        chat       chat;
        chat_user  $arg_user;
        chat_rate  rate=1r/m burst=5;
    }
_EOC_

play();

__DATA__

=== TEST 1: the default, as the welcome tells it
--- config
    # neither chat_rate nor chat_presence stands here
    location /chat { chat chat; chat_user $arg_user; }
--- chat
a connect /chat?user=alice
a < {"type":"welcome","limits":{"rate":5,"burst":10}}
a cork
for id 1..11
a > {"type":"ping","id":$id}
end
a flush
for id 1..10
a < {"type":"ok","id":$id}
end
a < {"type":"error","id":11,"code":"rate_limited","retry_after":"$after"}
ok $after > 0 && $after <= 200



=== TEST 2: rates in the welcome
--- config
    location /chat { chat chat; }
    location /many { chat chat; chat_rate rate=1000r/s burst=6000; }
    location /half { chat chat; chat_rate rate=30r/m burst=1; }
    location /off { chat chat; chat_rate off; }
--- chat
m connect /many
m < {"type":"welcome","limits":{"rate":1000,"burst":6000}}
h connect /half
h < {"type":"welcome","limits":{"rate":0.5,"burst":1}}
o connect /off
o < {"type":"welcome","limits":{"rate":0,"burst":0}}



=== TEST 3: what is told to wait for is enough
--- config
    location /chat { chat chat; chat_rate rate=4r/s burst=1; }
--- chat
a connect /chat
a < {"type":"welcome"}
a > {"type":"ping","id":1}
a < {"type":"ok","id":1}
a > {"type":"ping","id":2}
a < {"type":"error","id":2,"code":"rate_limited","retry_after":"$first"}
ok $first > 0 && $first <= 250
a nothing $(1 + $v{first})ms
a > {"type":"ping","id":3}
a < {"type":"ok","id":3}
a nothing 100ms
a > {"type":"ping","id":4}
a < {"type":"error","id":4,"code":"rate_limited","retry_after":"$second"}
ok $second > 0 && $second <= 150
a nothing $(1 + $v{second})ms
a > {"type":"ping","id":5}
a < {"type":"ok","id":5}



=== TEST 4: one user over several connections and workers
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
b connect /chat?user=alice other=a
b < {"type":"welcome"}
for id 1 2 3
a > {"type":"ping","id":$id}
a < {"type":"ok","id":$id}
end
for id 1 2
b > {"type":"ping","id":$id}
b < {"type":"ok","id":$id}
end
for who a b
$who > {"type":"ping","id":9}
$who < {"type":"error","id":9,"code":"rate_limited"}
end
c connect /chat?user=carol
c < {"type":"welcome"}
c > {"type":"ping","id":1}
c < {"type":"ok","id":1}
a drop
d connect /chat?user=alice
d < {"type":"welcome"}
d > {"type":"ping","id":1}
d < {"type":"error","id":1,"code":"rate_limited"}



=== TEST 5: by address
--- config
    location /chat {
        chat chat; chat_user $arg_user;
        chat_rate rate=1r/m burst=2 key=$binary_remote_addr;
    }
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
c connect /chat?user=alice from=127.0.0.2
c < {"type":"welcome"}
a > {"type":"ping","id":1}
a < {"type":"ok","id":1}
b > {"type":"ping","id":1}
b < {"type":"ok","id":1}
for who a b
$who > {"type":"ping","id":2}
$who < {"type":"error","id":2,"code":"rate_limited"}
end
c > {"type":"ping","id":1}
c < {"type":"ok","id":1}



=== TEST 6: by session, by the user's name, and by nothing
--- config
    location /session { chat chat; chat_user $arg_user; chat_rate rate=1r/m burst=1 key=$chat_session; }
    location /named { chat chat; chat_user $arg_user; chat_rate rate=1r/m burst=1 key=$chat_user; }
    location /none { chat chat; chat_user $arg_user; chat_rate rate=1r/m burst=1 key=$arg_key; }
--- chat
for path session named
a connect /$path?user=alice
a < {"type":"welcome"}
b connect /$path?user=$(($v{path} eq 'session') ? 'alice' : 'bob')
b < {"type":"welcome"}
for who a b
$who > {"type":"ping","id":1}
$who < {"type":"ok","id":1}
$who > {"type":"ping","id":2}
$who < {"type":"error","id":2,"code":"rate_limited"}
end
end
n connect /none?user=alice
n < {"type":"welcome"}
for id 1..20
n > {"type":"ping","id":$id}
n < {"type":"ok","id":$id}
end
k connect /none?user=alice&key=x
k < {"type":"welcome"}
k > {"type":"ping","id":1}
k < {"type":"ok","id":1}
k > {"type":"ping","id":2}
k < {"type":"error","id":2,"code":"rate_limited"}



=== TEST 7: several rates, the strictest one decides
--- config
    location /chat {
        chat chat; chat_user $arg_user;
        chat_rate rate=1000r/s burst=100;
        chat_rate rate=1r/m burst=3 key=$chat_session;
    }
--- chat
a connect /chat?user=alice
a < {"type":"welcome","limits":{"rate":1000,"burst":100}}
for id 1 2 3
a > {"type":"ping","id":$id}
a < {"type":"ok","id":$id}
end
a > {"type":"ping","id":4}
a < {"type":"error","id":4,"code":"rate_limited","retry_after":"$after"}
ok $after > 30000



=== TEST 8: frames that are no commands, and pings, cost as much
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a text no json
a < {"type":"error","code":"bad_json"}
a > {"type":"nothing","id":1}
a < {"type":"error","id":1,"code":"unknown_type"}
a > {"type":"send","id":2}
a < {"type":"error","id":2,"code":"bad_request"}
a ping one
a recv pong one
a ping two
a recv pong two
a > {"type":"ping","id":3}
a < {"type":"error","id":3,"code":"rate_limited"}
a ping three
a recv pong three
a text no json
a < {"type":"error","code":"rate_limited","id":"%absent"}



=== TEST 9: flooding on
--- config
    location /chat { chat chat; chat_user $arg_user; chat_rate rate=1r/m burst=2; }
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
for id 1 2
a > {"type":"ping","id":$id}
a < {"type":"ok","id":$id}
end
for id 1..20
a > {"type":"ping","id":$id}
a < {"type":"error","id":$id,"code":"rate_limited"}
end
a > {"type":"ping","id":21}
a closed 1008
log ~client sends too many messages, closed with 1008

b connect /chat?user=bob
b < {"type":"welcome"}
for id 1 2
b > {"type":"ping","id":$id}
b < {"type":"ok","id":$id}
end
for id 1..20
b ping x
b recv pong x
end
b ping x
b closed 1008



=== TEST 10: in a row means in a row
--- config
    location /chat { chat chat; chat_user $arg_user; chat_rate rate=4r/s burst=1; }
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
for round 1 2 3
a > {"type":"ping","id":1}
a < {"type":"ok","id":1}
for id 1..8
a > {"type":"ping","id":2}
a < {"type":"error","id":2,"code":"rate_limited"}
end
a nothing 260ms
end



=== TEST 11: close
--- config
    location /chat { chat chat; chat_user $arg_user; chat_rate rate=1r/m burst=2 action=close; }
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
b connect /chat?user=alice other=a
b < {"type":"welcome"}
a > {"type":"ping","id":1}
a < {"type":"ok","id":1}
b > {"type":"ping","id":1}
b < {"type":"ok","id":1}
a > {"type":"ping","id":2}
a closed 1008
b ping x
b closed 1008



=== TEST 12: delay: nothing is refused, all comes in order, and takes its time
--- config
    location /chat { chat chat; chat_user $arg_user; chat_rate rate=10r/s burst=2 action=delay; }
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
set start = Time::HiRes::time()
a cork
for id 1..8
a > {"type":"ping","id":$id}
end
a flush
for id 1..8
a < {"type":"ok","id":$id}
end
ok Time::HiRes::time() - $start > 0.45
ok Time::HiRes::time() - $start < 2
for id 1..4
a > {"type":"ping","id":$id}
end
for id 1..4
a < {"type":"ok","id":$id}
end



=== TEST 13: who is delayed still hears the others, and may go
--- config
    location /slow { chat chat; chat_user $arg_user; chat_room lobby; chat_rate rate=1r/m burst=1 action=delay; }
    location /chat { chat chat; chat_user $arg_user; chat_room lobby; chat_rate off; }
--- chat
a connect /slow?user=alice
a < {"type":"welcome"}
a < {"type":"joined"}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b < {"type":"joined"}
for id 1 2 3
a > {"type":"ping","id":$id}
end
a < {"type":"ok","id":1}
a < {"type":"ok","id":2}
b > {"type":"send","id":1,"room":"lobby","text":"hello"}
a < {"type":"message","text":"hello"}
b skip {"type":"ok","id":1}
b > {"type":"ping","id":2}
b skip {"type":"ok","id":2}
a nothing 200ms
a drop
b > {"type":"send","id":3,"room":"lobby","text":"gone"}
b skip {"type":"ok","id":3}



=== TEST 14: raw mode drops, and closes who floods
--- config
    location /raw {
        chat chat; chat_protocol raw; chat_room lobby; chat_user $arg_user;
        chat_rate rate=1r/m burst=2;
    }
--- chat
a connect /raw?user=alice
b connect /raw?user=bob other=a
for n 1 2 3 4
a text message $n
end
for who a b
$who recv text message 1
$who recv text message 2
end
a ping done
a recv pong done
b text still here
for who a b
$who recv text still here
end
for n 4..19
a text over $n
end
a ping done
a recv pong done
a text one more
a closed 1008
b text alone
b recv text alone
b nothing 100ms



=== TEST 15: the same limit in two locations, and another one
--- config
    location /one { chat chat; chat_user $arg_user; chat_rate rate=1r/m burst=2; }
    location /two { chat chat; chat_user $arg_user; chat_rate rate=1r/m burst=2 key=$chat_user; }
    location /other { chat chat; chat_user $arg_user; chat_rate rate=1r/m burst=1; }
--- chat
a connect /one?user=alice
a < {"type":"welcome"}
b connect /two?user=alice other=a
b < {"type":"welcome"}
c connect /other?user=alice
c < {"type":"welcome"}
for who a b
$who > {"type":"ping","id":1}
$who < {"type":"ok","id":1}
end
for who a b
$who > {"type":"ping","id":2}
$who < {"type":"error","id":2,"code":"rate_limited"}
end
c > {"type":"ping","id":1}
c < {"type":"ok","id":1}



=== TEST 16: a reload forgets nothing
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
for id 1..5
a > {"type":"ping","id":$id}
a < {"type":"ok","id":$id}
end
nginx reload
b connect /chat?user=alice
b < {"type":"welcome"}
b > {"type":"ping","id":1}
b < {"type":"error","id":1,"code":"rate_limited"}
