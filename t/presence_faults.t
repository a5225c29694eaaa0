
# Tests for presence when workers go: who is there is right soon after.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config('chat_zone chat:8m; chat_rate off;');

default_config(<<'_EOC_');
    location /chat {
        chat              chat;
        chat_presence     full;
        chat_user         $arg_user;
        chat_room         r;
        chat_leave_delay  10s;
        chat_close_delay  0;
    }

    location /bare {
        chat              chat;
        chat_presence     full;
        chat_user         $arg_user;
        chat_leave_delay  10s;
        chat_close_delay  0;
    }

    location /soon {
        chat              chat;
        chat_presence     full;
        chat_user         $arg_user;
        chat_room         r;
        chat_leave_delay  1s;
        chat_close_delay  0;
    }
_EOC_

play();

__DATA__

=== TEST 1: a killed worker's users have left within a second
Those who have a connection elsewhere, or come back at once, have not.
--- chat
timeout 20s
a connect /chat?user=alice
a skip {"type":"joined","user":"alice","members":1}
b connect /chat?user=bob other=a
b skip {"type":"joined","user":"bob","members":2}
c connect /chat?user=carol same=b
c skip {"type":"joined","user":"carol","members":3}
c2 connect /chat?user=carol same=a
c2 skip {"type":"joined","user":"carol","members":3}
d connect /chat?user=dave same=b
d skip {"type":"joined","user":"dave","members":4}
for user bob carol dave
a < {"type":"joined","user":"$user"}
end
d2 connect /bare?user=dave same=a
d2 < {"type":"welcome"}
nginx slay b
d2 > {"type":"join","room":"r"}
within 1200ms
a < {"type":"left","user":"bob","members":3}
end
a nothing 300ms
a > {"type":"members","id":1,"room":"r"}
a < {"type":"ok","id":1,"members":3,"presence":"%[3]"}
--- faults
exited on signal 9



=== TEST 2: also who was away when his worker was killed
--- chat
timeout 20s
a connect /soon?user=alice
a skip {"type":"joined","user":"alice","members":1}
b connect /soon?user=bob other=a
b skip {"type":"joined","user":"bob","members":2}
k connect /soon?user=kim same=b
k skip {"type":"joined","user":"kim","members":3}
a < {"type":"joined","user":"bob"}
a < {"type":"joined","user":"kim"}
b > {"type":"leave","id":1,"room":"r"}
b skip {"type":"ok","id":1}
nginx kill b
within 4s
a skip {"type":"left","members":1}
end
a > {"type":"members","id":1,"room":"r"}
a < {"type":"ok","id":1,"members":1,"presence":[{"user":"alice"}]}
--- faults
exited on signal 9



=== TEST 3: a reload is not told of, to those who come back
--- chat
timeout 20s
a connect /chat?user=alice
a skip {"type":"joined","user":"alice","members":1}
b connect /chat?user=bob other=a
b skip {"type":"joined","user":"bob","members":2}
nginx reload
nginx renewed
a connect /chat?user=alice
b connect /chat?user=bob other=a
a skip {"type":"joined","user":"alice","members":2}
b skip {"type":"joined","user":"bob","members":2}
a nothing 1200ms
b > {"type":"send","room":"r","text":"here again"}
a < {"type":"message","text":"here again"}



=== TEST 4: who does not come back after a reload has left
The worker that saw him go is gone.
--- chat
timeout 20s
a connect /soon?user=alice
a skip {"type":"joined","user":"alice","members":1}
b connect /soon?user=bob other=a
b skip {"type":"joined","user":"bob","members":2}
nginx reload
a drop
a connect /soon?user=alice
a skip {"type":"joined","user":"alice","members":2}
nginx renewed
within 5s
a < {"type":"left","user":"bob","members":1}
end



=== TEST 5: all workers are killed, one after the other
--- chat
timeout 30s
k1 connect /chat?user=kim
k1 skip {"type":"joined","user":"kim","members":1}
for round 1..3
b connect /chat?user=bob$round other=k1
b skip {"type":"joined","user":"bob$round","members":2}
k1 skip {"type":"joined","user":"bob$round","members":2}
nginx kill b
within 2s
k1 < {"type":"left","user":"bob$round","members":1}
end
end
--- faults
exited on signal 9
