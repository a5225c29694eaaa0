
# Tests for chat_room_names: which rooms can be joined.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /chat {
        chat             chat;
        chat_user        $arg_user;
        chat_room        $arg_room;
        chat_room_names  "^(?:lobby|team/[a-z0-9]{1,5}|caf\xe9)$";
    }
_EOC_

play();

__DATA__

=== TEST 1: by join
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
for room lobby team/a team/abc12
a > {"type":"join","id":1,"room":"$room"}
a < {"type":"ok","id":1,"room":"$room"}
end
a > {"type":"join","id":1,"room":"caf\u00e9"}
a < {"type":"ok","id":1}
for room Lobby lobby2 xlobby team/ team/abc123 team/A team/a/b lobby\u00e9
a > {"type":"join","id":2,"room":"$room"}
a < {"type":"error","id":2,"code":"forbidden"}
end
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
b < {"type":"ok","id":1,"members":2}



=== TEST 2: one's own inbox always can, another's never
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"@alice"}
a < {"type":"ok","id":1,"room":"@alice"}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
a > {"type":"join","id":2,"room":"@bob"}
a < {"type":"error","id":2,"code":"forbidden"}



=== TEST 3: at connect
--- chat
a connect /chat?user=alice&room=team/abc
a < {"type":"welcome"}
a < {"type":"joined","room":"team/abc"}
b refused 403 /chat?user=bob&room=teams/abc
log ~refused with 403: room's name is none that "chat_room_names" allows: "teams/abc"



=== TEST 4: raw mode
--- config
    location /raw {
        chat chat; chat_protocol raw; chat_room $arg_room; chat_room_names ^a+$;
    }
--- chat
a connect /raw?room=aaa
b connect /raw?room=aaa other=a
a text hello
b recv text hello
c refused 403 /raw?room=aab



=== TEST 5: inherited, and a location's own
--- config
    chat_room_names ^a;
    chat_user $arg_user;
    location /above { chat chat; }
    location /own { chat chat; chat_room_names ^b; }
--- chat
a connect /above?user=alice
a < {"type":"welcome"}
b connect /own?user=bob
b < {"type":"welcome"}
a > {"type":"join","id":1,"room":"a"}
a < {"type":"ok","id":1}
a > {"type":"join","id":2,"room":"b"}
a < {"type":"error","id":2,"code":"forbidden"}
b > {"type":"join","id":1,"room":"b"}
b < {"type":"ok","id":1}
b > {"type":"join","id":2,"room":"a"}
b < {"type":"error","id":2,"code":"forbidden"}



=== TEST 6: an expression that explodes allows nothing, in a moment
--- config
    location /chat { chat chat; chat_user $arg_user; chat_room_names "^(?:[a-z]+)+\d$"; }
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"abc1"}
a < {"type":"ok","id":1}
within 2s
a > {"type":"join","id":2,"room":"$('a' x 128)"}
a < {"type":"error","id":2,"code":"forbidden"}
end
log ~"chat_room_names" gave up



=== TEST 7: no more members than allowed
--- config
    location /chat { chat chat; chat_user $arg_user; chat_presence full; chat_leave_delay 0; chat_room_members 2; }
    location /raw { chat chat; chat_protocol raw; chat_room lobby; chat_room_members 2; }
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
b skip {"type":"ok","id":1}
c connect /chat?user=carol
c < {"type":"welcome"}
c > {"type":"join","id":1,"room":"lobby"}
c skip {"type":"error","id":1,"code":"room_full"}
d connect /chat?user=alice
d < {"type":"welcome"}
d > {"type":"join","id":1,"room":"lobby"}
d skip {"type":"ok","id":1}
b > {"type":"leave","id":2,"room":"lobby"}
b skip {"type":"ok","id":2}
a skip {"type":"left","user":"bob","members":1}
c > {"type":"join","id":2,"room":"lobby"}
c skip {"type":"ok","id":2}

r connect /raw
s connect /raw other=r
t refused 503 /raw
