
# Tests for chat_connections and chat_connection_rate: how many connections
# there may be and how fast they may come, counted over all workers.

use lib 't/lib';
use Test::Nginx::Chat;
use Test::Nginx::Chat::Token;

default_http_config(<<'_EOC_');
    chat_zone          chat:4m;
    chat_close_delay   0;
    log_format         door '$uri $status $chat_limit_status';
    log_format         ends '$chat_user';
    chat_log           logs/ends.log ends;
    set_real_ip_from   127.0.0.1;
    real_ip_header     X-Real-IP;
_EOC_

default_config(<<'_EOC_');
    access_log logs/door.log door;

    location /chat {
        chat              chat;
        chat_user         $arg_user;
        chat_connections  12;
    }

    location /user {
        chat              chat;
        chat_user         $arg_user;
        chat_guests       off;
        chat_connections  2 key=$chat_user;
    }

    # the same counters as /user
    location /fewer {
        chat              chat;
        chat_user         $arg_user;
        chat_connections  1 key=$chat_user;
    }

    location /key {
        chat              chat;
        chat_user         $arg_user;
        chat_connections  1 key=$arg_key;
    }

    location /net {
        chat              chat;
        chat_user         $arg_user;
        chat_connections  1 key=$chat_remote_net;
    }

    location /both {
        chat              chat;
        chat_user         $arg_user;
        chat_connections  2 key=both;
        chat_connections  1 key=a$arg_user;
    }

    location /raw {
        chat              chat;
        chat_protocol     raw;
        chat_room         raw;
        chat_user         $arg_user;
        chat_connections  1 key=raw;
    }

    location /dry {
        chat                 chat;
        chat_user            $arg_user;
        chat_connections     1 key=dry;
        chat_limits_dry_run  on;
    }

    location /full {
        chat                chat;
        chat_protocol       raw;
        chat_room           full;
        chat_room_members   1;
        chat_connections    1 key=full$arg_user;
    }

    location /rate {
        chat                  chat;
        chat_connection_rate  rate=1r/m;
    }

    location /wait {
        chat                  chat;
        chat_connection_rate  rate=2r/s burst=1 key=wait;
    }

    location /tokens {
        chat                  chat;
        chat_jwt              key=../html/secret;
        chat_connection_rate  rate=1r/m burst=3 key=$binary_remote_addr;
    }

    location /braces {
        chat                  chat;
        chat_jwt              key=../html/secret;
        chat_connection_rate  rate=1r/m burst=1 key=${binary_remote_addr};
    }

    location /later {
        chat                  chat;
        chat_jwt              key=../html/secret;
        chat_guests           off;
        chat_auth_timeout     10s;
        chat_connections      1 key=$chat_user;
        chat_connection_rate  rate=1r/m burst=4 key=$chat_user;
    }

    location /once {
        chat                  chat;
        chat_jwt              key=../html/secret;
        chat_guests           off;
        chat_auth_timeout     10s;
        chat_connections      2 key=once;
        chat_connections      2 key=$chat_user;
    }

    location /dry_rate {
        chat                  chat;
        chat_connection_rate  rate=1r/m burst=1 key=$arg_key;
        chat_limits_dry_run   on;
    }

    location /counters {
        return 200 "$chat_limit_rejected_chat $chat_limit_dry_run_chat";
    }
_EOC_

secret_file();
play();


# Whoever is let in by and by keeps the connection.

our @Kept;

sub replaced {
    my ($script, $url, $who) = @_;

    my $worker = $script->client($who)->{worker};
    my @lost = grep { ($_->{worker} // 0) == $worker }
               map { $script->client("a$_") } 1 .. 12;

    @lost < 12 or die "all were on one worker\n";
    soon($url) for @lost;
}


sub soon {
    my ($url) = @_;

    my $port = Test::Nginx::Util::server_port_for_client();

    for (1 .. 100) {
        my $socket = IO::Socket::INET->new("127.0.0.1:$port") or die "$!\n";

        print $socket "GET $url HTTP/1.1\r\nHost: localhost\r\n"
                      . "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                      . "Sec-WebSocket-Version: 13\r\n"
                      . "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

        my $line = <$socket> // '';

        if ($line =~ / 101 /) {
            push @Kept, $socket;
            return;
        }

        Test::Nginx::Chat::Client->until(0.1, sub { 0 });
    }

    die "nobody is let in to $url\n";
}


sub forget { @Kept = () }

__DATA__

=== TEST 1: the whole zone, over two workers
Twelve connections are on both of them.
--- chat
for i 1..12
a$i connect /chat?user=a$i
a$i < {"type":"welcome"}
end
d refused 503 /chat?user=d
log ~refused with 503: as many connections as "chat_connections" allows: "12", client
log in door.log 1 ~^/chat 503 REJECTED$
log in door.log 12 ~^/chat 101 PASSED$
a7 close 1000
a7 closed 1000
log in ends.log 1 ~^a7$
d connect /chat?user=d
d < {"type":"welcome","user":"d"}
e refused 503 /chat?user=e
a12 reset
log in ends.log 1 ~^a12$
e connect /chat?user=e
f refused 503 /chat?user=f



=== TEST 2: a user's, in two locations
--- chat
a connect /user?user=alice
b connect /user?user=alice
c refused 429 /user?user=alice
d connect /user?user=bob
d < {"type":"welcome","user":"bob"}
c refused 429 /fewer?user=alice
c refused 429 /fewer?user=bob
e connect /fewer?user=carol
f connect /user?user=carol
e refused 429 /fewer?user=carol



=== TEST 3: no key, and a long one
--- chat
a connect /key
b connect /key
c connect /key?key=$("k" x 200)
d refused 429 /key?key=$("k" x 200)
d connect /key?key=$("k" x 199)
e connect /key?key=$("#" x 64)
e connect /key?key=$("k" x 64)
f refused 429 /key?key=$("k" x 64)



=== TEST 4: an IPv6 network is one, an IPv4 address is one
--- chat
a connect /net | X-Real-IP: 2001:db8:1:2::1
b refused 429 /net | X-Real-IP: 2001:db8:1:2:ffff:1:2:3
b connect /net | X-Real-IP: 2001:db8:1:3::1
c connect /net | X-Real-IP: 192.0.2.1
d connect /net | X-Real-IP: 192.0.2.2
e refused 429 /net | X-Real-IP: 192.0.2.1
e refused 429 /net | X-Real-IP: ::ffff:192.0.2.1



=== TEST 5: several limits: who is refused by one is not counted by the other
--- chat
a connect /both?user=alice
b refused 429 /both?user=alice
b refused 429 /both?user=alice
b connect /both?user=bob
c refused 429 /both?user=carol



=== TEST 6: raw mode
--- chat
a connect /raw?user=raw
b refused 429 /raw
a drop
log in ends.log 1 ~^raw$
b connect /raw
b text x
b recv text x



=== TEST 7: dry run
--- chat
a connect /dry?user=a
log in door.log 1 ~^/dry 101 PASSED$
log in door.log no ~REJECTED
b connect /dry?user=b
b < {"type":"welcome","user":"b"}
log in door.log 1 ~^/dry 101 REJECTED_DRY_RUN$
log ~over a limit, dry run: "chat_connections": "1 key=dry", client
c open
c raw "GET /counters HTTP/1.0\r\n\r\n"
c status 200
c body ~^0 1$
a drop
log in ends.log 1 ~^a$
c connect /dry?user=c
log in door.log 2 ~^/dry 101 REJECTED_DRY_RUN$



=== TEST 8: a handshake that fails behind the limit is not counted
--- chat
a connect /full?user=a
for i 1..5
b refused 503 /full?user=b
end
log in door.log 5 ~^/full 503 PASSED$
c refused 429 /full?user=a



=== TEST 9: a killed worker's connections are counted no more
As many as it had can come instead of them, and not one more.
--- faults
worker process \d+ exited on signal 9
--- chat
timeout 20s
for i 1..12
a$i connect /chat?user=a$i
a$i < {"type":"welcome"}
end
e refused 503 /chat?user=e
nginx slay a1
perl replaced /chat?user=r a1
e refused 503 /chat?user=e
perl forget



=== TEST 10: a reload keeps the count, and a smaller limit closes nobody
--- chat
a connect /user?user=alice
a < {"type":"welcome"}
b connect /key?key=k
b < {"type":"welcome"}
nginx edit s/2 key=.chat_user/1 key=\$chat_user/
nginx edit s/1 key=.arg_key/2 key=\$arg_key/
nginx reload
a < {"type":"bye"}
a closed 1012
b < {"type":"bye"}
b closed 1012
nginx renewed
a connect /user?user=alice
b refused 429 /user?user=alice
b connect /key?key=k
c connect /key?key=k
d refused 429 /key?key=k



=== TEST 11: the rate, by address
--- chat
for i 1..10
a$i connect /rate | X-Real-IP: 2001:db8::$i
a$i < {"type":"welcome"}
end
c refused 429 /rate | X-Real-IP: 2001:db8::3
c header Retry-After ~^(?:60|59|58)$
log ~refused with 429: connections come too fast for "chat_connection_rate": "rate=1r/m", client
log in door.log 1 ~^/rate 429 REJECTED$
d connect /rate | X-Real-IP: 2001:db8:0:1::1



=== TEST 12: what is told to wait for is enough
--- chat
a connect /wait
a < {"type":"welcome"}
b refused 429 /wait
b header Retry-After: 1
a nothing 1s
b connect /wait
b < {"type":"welcome"}



=== TEST 13: tokens that are no good are counted
--- chat
set good = main::token(sub => 'alice')
a refused 401 /tokens?token=x.y.z
a refused 401 /tokens?token=x.y.z
a refused 401 /tokens?token=x.y.z
a refused 429 /tokens?token=x.y.z
a refused 429 /tokens?token=$good
b connect /tokens?token=$good from=127.0.0.2
a refused 401 /braces?token=x.y.z
a refused 429 /braces?token=x.y.z



=== TEST 14: who says later who he is
--- chat
set t = main::token(sub => 'alice')
a connect /later
a > {"type":"auth","id":1,"token":"$t"}
a < {"type":"welcome","user":"alice"}
a < {"type":"ok","id":1}
b connect /later
b > {"type":"auth","id":1,"token":"$t"}
b closed 4008
c refused 429 /later?token=$t
d refused 429 /later?token=$t
e refused 429 /later?token=$t
c connect /later
c > {"type":"auth","id":1,"token":"$(main::token(sub => 'bob'))"}
c < {"type":"welcome","user":"bob"}



=== TEST 15: and is not counted twice for it
--- chat
a connect /once
a > {"type":"auth","id":1,"token":"$(main::token(sub => 'alice'))"}
a < {"type":"welcome","user":"alice"}
a < {"type":"ok","id":1}
b connect /once?token=$(main::token(sub => 'alice'))
b < {"type":"welcome","user":"alice"}
c refused 429 /once
a close 1000
a closed 1000
log in ends.log 1 ~^alice$
c connect /once?token=$(main::token(sub => 'alice'))
c < {"type":"welcome","user":"alice"}



=== TEST 16: the rate's dry run, and the counters
--- chat
a connect /dry_rate?key=1
b connect /dry_rate?key=1
b < {"type":"welcome"}
c connect /dry_rate?key=2
log in door.log 1 ~^/dry_rate 101 REJECTED_DRY_RUN$
log in door.log 2 ~^/dry_rate 101 PASSED$
for i 1..3
c$i connect /net | X-Real-IP: 192.0.2.$i
d refused 429 /net | X-Real-IP: 192.0.2.$i
end
d open
d raw "GET /counters HTTP/1.0\r\n\r\n"
d status 200
d body ~^3 1$



=== TEST 17: mistakes
--- config
    location /chat { chat chat; }
--- chat
conf good chat: chat_connections off;
conf good http: chat_connections 5; chat_connections 5 key=$chat_user;
conf bad chat: chat_connections 0; => ~invalid value "0" in "chat_connections" directive, it must be "off" alone, or a number between 1 and 1000000
conf bad chat: chat_connections 1000001; => ~a number between 1 and 1000000
conf bad chat: chat_connections off; chat_connections 5; => ~"chat_connections" directive is duplicate
conf bad chat: chat_connections 5; chat_connections off; => ~"chat_connections" directive is duplicate
conf bad chat: chat_connections 5 key=; => ~invalid value "key=" in "chat_connections" directive, it must be "key=" and a value
conf bad chat: chat_connections 5 by=x; => ~invalid value "by=x"
conf bad chat: chat_connections 5; chat_connections 6; => ~"chat_connections 6" has the key of "chat_connections 5" before it
conf bad chat: chat_connections 5 key=$arg_k; chat_connections 5; chat_connections 6 key=$arg_k; => ~"chat_connections 6 key=\Q$arg_k\E" has the key of "chat_connections 5 key=\Q$arg_k\E" before it
conf bad chat: $(join " ", map { "chat_connections 5 key=k$_;" } 1 .. 9) => ~too many "chat_connections" directives, 8 may stand at one level
conf bad chat: chat_connections 5 key=$no_such; => ~unknown "no_such" variable
conf good chat: chat_connection_rate off;
conf good http: chat_connection_rate rate=1r/s; chat_connection_rate rate=30r/m burst=5 key=$chat_user;
conf bad chat: chat_connection_rate on; => ~invalid value "on" in "chat_connection_rate" directive, it must be "off" alone, or one each of
conf bad chat: chat_connection_rate burst=5; => ~it must be "off", or have "rate="
conf bad chat: chat_connection_rate rate=5; => ~it must be "rate=" and a number
conf bad chat: chat_connection_rate rate=5r/s burst=0; => ~it must be "burst=" and a number
conf bad chat: chat_connection_rate rate=5r/s rate=6r/s; => ~invalid value "rate=6r/s"
conf bad chat: chat_limits_dry_run maybe; => ~invalid value "maybe" in "chat_limits_dry_run" directive
