
# Tests for pings: who does not answer two of them is gone.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /chat {
        chat                chat;
        chat_user           $arg_user;
        chat_room           $arg_room;
        chat_ping_interval  300ms;
        chat_leave_delay    0;
    }

    location /never {
        chat                chat;
        chat_user           $arg_user;
        chat_ping_interval  0;
    }
_EOC_

play();


# time goes by, in which the clients go on answering

sub pause_for {
    my ($script, $time) = @_;

    Test::Nginx::Chat::Client->until($time, sub { 0 });
}

__DATA__

=== TEST 1: a peer that answers stays
--- chat
a connect /chat?user=alice
a < {"type":"welcome","ping":300}
a pinged 5
a nothing 50ms
a > {"type":"ping","id":1}
a < {"type":"ok","id":1}



=== TEST 2: a peer that answers nothing is closed
--- chat
a connect /chat?user=alice&room=r
b connect /chat?user=bob&room=r other=a
for who a b
$who skip {"type":"joined"}
end
b autopong off
b recv ping
within 3s
b skip closed 1001
end
a > {"type":"send","room":"r","text":"alone"}
a < {"type":"message","text":"alone"}
a pinged 3



=== TEST 3: anything that a peer sends shows that it is there
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a autopong off
for i 1..12
a > {"type":"ping","id":$i}
a skip {"type":"ok","id":$i}
perl pause_for 0.15
end



=== TEST 4: a half-open peer costs its place no longer than that
--- chat
a connect /chat?user=alice&room=r
s connect /chat?user=slow&room=r
s autopong off
s pause
a skip {"type":"joined"}
for try 1..40
a > {"type":"join","id":1,"room":"r"}
a < {"type":"ok","id":1,"members":"%int"}
perl pause_for 0.05
end
a > {"type":"join","id":2,"room":"r"}
a < {"type":"ok","id":2,"members":1}



=== TEST 5: no pings
--- chat
a connect /never?user=alice
a < {"type":"welcome","ping":0}
a autopong off
a nothing 1s
