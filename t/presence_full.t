
# Tests for presence: who comes and goes is told one by one.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config('chat_zone chat:4m; chat_rate off;');

default_config(<<'_EOC_');
    location /chat {
        chat              chat;
        chat_presence     full;
        chat_user         $arg_user;
        chat_user_name    $arg_name;
        chat_user_color   "#a1b2c3";
        chat_leave_delay  500ms;
    }

    location /room {
        chat              chat;
        chat_presence     full;
        chat_user         $arg_user;
        chat_room         $arg_room;
        chat_leave_delay  500ms;
    }

    location /at_once {
        chat              chat;
        chat_presence     full;
        chat_user         $arg_user;
        chat_leave_delay  0;
    }

    location /late {
        chat              chat;
        chat_presence     full;
        chat_user         $arg_user;
        chat_leave_delay  60s;
    }

    location /off {
        chat              chat;
        chat_presence     off;
        chat_user         $arg_user;
        chat_leave_delay  0;
    }
_EOC_

play();

__DATA__

=== TEST 1: one comes and goes
The one who comes has it all in the answer, and gets no event of his own.
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"members":1}
b connect /chat?user=bob&name=Bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby","presence":true}
b < {"type":"ok","id":1,"members":2,"seq":0,"messages":[], \
    "presence":[{"user":"alice"},{"user":"bob","name":"Bob"}]}
a < {"type":"joined","room":"lobby","user":"bob","name":"Bob", \
    "color":"#a1b2c3","members":2,"ts":"%>1700000000000","seq":"%absent", \
    "id":"%absent"}
b > {"type":"send","room":"lobby","text":"hi"}
a < {"type":"message","seq":1}
b < {"type":"message","seq":1}
b > {"type":"leave","id":2,"room":"lobby"}
b < {"type":"ok","id":2}
a nothing 200ms
a < {"type":"left","room":"lobby","user":"bob","name":"Bob", \
    "color":"#a1b2c3","members":1,"ts":"%>1700000000000","seq":"%absent"}
b nothing 50ms



=== TEST 2: several connections are one member
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"members":1}
b connect /chat?user=bob other=a
c connect /chat?user=bob same=a
d connect /chat?user=bob other=a
for who b c d
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby","presence":true}
$who < {"type":"ok","id":1,"members":2,"presence":"%[2]"}
end
a < {"type":"joined","user":"bob","members":2}
b reset
c > {"type":"leave","id":2,"room":"lobby"}
c < {"type":"ok","id":2}
a nothing 700ms
d > {"type":"members","id":3,"room":"lobby"}
d < {"type":"ok","id":3,"members":2,"presence":"%[2]"}
d reset
within 3s
a < {"type":"left","user":"bob","members":1}
end
a nothing 50ms



=== TEST 3: a connection that is lost and comes back is not told of
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
b connect /late?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
b < {"type":"ok","id":1,"epoch":"$epoch"}
a < {"type":"joined","user":"bob"}
for where other same
b reset
b connect /chat?user=bob $where=a
b < {"type":"welcome"}
b > {"type":"join","id":2,"room":"lobby","epoch":"$epoch","seq":0}
b < {"type":"ok","id":2,"recovered":true,"members":2}
end
a nothing 700ms
b > {"type":"send","room":"lobby","text":"still here"}
a < {"type":"message","text":"still here"}



=== TEST 4: who is away still counts
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
b connect /late?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
b < {"type":"ok","id":1}
a < {"type":"joined","user":"bob"}
b > {"type":"leave","id":2,"room":"lobby"}
b < {"type":"ok","id":2}
a > {"type":"members","id":3,"room":"lobby"}
a < {"type":"ok","id":3,"members":2}



=== TEST 5: with no delay
--- chat
a connect /at_once?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
for i 1..3
b connect /at_once?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
b < {"type":"ok","id":1}
b reset
a < {"type":"joined","user":"bob","members":2}
within 1s
a < {"type":"left","user":"bob","members":1}
end
end



=== TEST 6: a room named by the location
--- chat
a connect /room?user=alice&room=r
a < {"type":"welcome"}
a < {"type":"joined","room":"r","user":"alice","members":1}
b connect /room?user=bob&room=r other=a
b < {"type":"welcome"}
b < {"type":"joined","room":"r","user":"bob","members":2}
a < {"type":"joined","room":"r","user":"bob","members":2}
a reset
b < {"type":"left","room":"r","user":"alice","members":1}



=== TEST 7: off
--- chat
a connect /off?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
b connect /off?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
b < {"type":"ok","id":1,"members":2}
b > {"type":"leave","id":2,"room":"lobby"}
b < {"type":"ok","id":2}
a nothing 200ms
a > {"type":"members","id":3,"room":"lobby"}
a < {"type":"ok","id":3,"members":1}



=== TEST 8: what passes stands in order with what is kept
Whoever reads late gets each event between the same two messages.
--- chat
timeout 20s
a connect /at_once?user=alice
b connect /at_once?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
a < {"type":"joined","user":"bob"}
c connect /at_once?user=carol
c < {"type":"welcome"}
for i 1..10
a > {"type":"send","id":$i,"room":"lobby","text":"before $i"}
a < {"type":"ok","id":$i}
a < {"type":"message","text":"before $i"}
b < {"type":"message","text":"before $i"}
c > {"type":"join","id":$i,"room":"lobby"}
c skip {"type":"ok","id":$i}
a > {"type":"send","room":"lobby","text":"after $i"}
for who a b
$who < {"type":"joined","user":"carol"}
$who < {"type":"message","text":"after $i"}
end
c > {"type":"leave","id":"l$i","room":"lobby"}
c skip {"type":"ok","id":"l$i"}
for who a b
$who < {"type":"left","user":"carol"}
end
end



=== TEST 9: many at once
Each is told to each, once, with the number of users at that moment.
--- chat
timeout 20s
a connect /room?user=alice&room=r
a skip {"type":"joined","user":"alice"}
for n 2..30
m$n connect /room?user=m$n&room=r
m$n skip {"type":"joined","user":"m$n","members":$n}
a < {"type":"joined","user":"m$n","members":$n}
end
for n 2..30
m$n reset
end
set left = 29
for n 2..30
a < {"type":"left","members":$left}
set left = $left - 1
end
a nothing 50ms
