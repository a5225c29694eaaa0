
# Tests for what hostile clients send: text that somebody else may take for
# something else, JSON without sense, handshakes that do not end.

use lib 't/lib';
use JSON::PP ();
use Test::Nginx::Chat;

default_http_config(<<'_EOC_');
    chat_zone   chat:8m;
    chat_rate   off;
    log_format  ends '"$chat_user" "$chat_user_name" "$chat_room"';
    chat_log    logs/ends.log ends;
_EOC_

default_config(<<'_EOC_');
    location /chat {
        chat                  chat;
        chat_user             $arg_user;
        chat_message_size     1m;
    }

    location /named {
        chat                  chat;
        chat_user             $http_x_user;
        chat_user_name        $http_x_name;
        chat_room             $http_x_room;
    }

    location /rated {
        chat                  chat;
        chat_user             $arg_user;
        chat_rate             rate=1r/m burst=6;
        chat_rooms_per_connection  3;
    }

    location /small {
        chat                  chat;
        chat_user             $arg_user;
        chat_message_size     1k;
    }
_EOC_

# What somebody may take for something else.

our @Texts = (
    '$chat_user ${chat_room} $1', '%s %n %00 %{x} %%', '~text~ ~channel~',
    '{{x}} <%= x %> #{x} `id` $(id)',
    '<script>alert(1)</script><img src=x onerror=alert(1)>',
    '&lt; &#60; \\u003c', "data: x\n\nevent: y\r\nid: 1", "\e[2J\e]0;x\a",
    "\x{202e}txt.exe\x{2066}\x{200b}\x{feff}\x{1f600}",
    q('; DROP TABLE rooms; --), "* # : > \x7f \x01 \0");

play();


# What one says the other hears, and each of them the same.

sub said {
    my ($script, $from, $to) = @_;

    my $json = JSON::PP->new->utf8;

    for my $text (@Texts) {
        $script->client($from)->frame(op => 1, payload => $json->encode({
            type => 'send', room => 'r', text => $text }));

        for my $who ($from, $to) {
            my $o = $json->decode($script->get($script->client($who))->{payload});

            die "$who: $o->{type} $o->{text}\n"
                if $o->{type} ne 'message' || $o->{text} ne $text;
        }
    }
}

__DATA__

=== TEST 1: what is no more than text stays what it is
For nginx, for a shell, for a page, for a terminal: nothing of it is expanded,
cut out or changed.
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"r"}
a < {"type":"ok","id":1}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"r"}
b < {"type":"ok","id":1}
perl said a b
a > {"type":"history","id":9,"room":"r","before":12}
a < {"type":"ok","id":9,"messages":[{},{},{},{},{},{},{},{},{},{"text":"'; DROP TABLE rooms; --"},{}]}



=== TEST 2: names in a log are one field of one line
--- chat
a connect /named | X-User: a"b | X-Name: \x5c" 403 | X-Room: [2J
a < {"type":"welcome","user":"a\"b"}
a close 1000
a skip closed 1000
log in ends.log 1 ~^"a\\x22b" "\\x5Cx5c\\x22 403" "\[2J"$
b connect /named | X-User: ‮evil | X-Name: x
b < {"type":"welcome"}
b close 1000
b closed 1000
log in ends.log 1 ~^"\\xE2\\x80\\xAEevil" "x"



=== TEST 3: JSON without sense is an error, and soon
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
within 5s
for text "$(q([) x 100000)" "$(q({"a":) x 100000)" \
    "{$(join q(,), map { qq("k$_":1) } 1 .. 50000)" \
    "{\"type\":\"ping\",\"type\":\"ping\"}" "{\"type\":\"ping\",\"x\":\"\\ud800\"}" \
    "{\"type\":\"ping\",\"x\":\"\\x\"}" "{\"type\":\"ping\",\"x\":1e}" "[1]" "null" "\"x\""
a text "$text"
a < {"type":"error","code":"bad_json"}
end
a > {"type":"ping","id":1,"x":{$(join q(,), map { qq("k$_":$_) } 1 .. 50000)}}
a < {"type":"ok","id":1}
end
a > {"type":"join","id":2,"room":"a\u0000b"}
a < {"type":"error","id":2,"code":"bad_request","field":"room"}
a > {"type":"join","id":3,"room":"\u001b[2J"}
a < {"type":"error","id":3,"code":"bad_request","field":"room"}
a > {"type":"profile","id":4,"name":"x\r\ny"}
a < {"type":"error","id":4,"code":"bad_request","field":"name"}
a > {"type":"history","id":5,"room":"r","limit":999999999999999999999}
a < {"type":"error","id":5}



=== TEST 4: lists of offers without end
--- http_config
    chat_zone chat:2m;
    large_client_header_buffers 4 16k;
--- chat
within 5s
for i 1..20
a connect /chat?user=a | Sec-WebSocket-Protocol: $(", " x 4000)x
a header no Sec-WebSocket-Protocol
a connect /chat?user=a | Sec-WebSocket-Protocol: $(join ",", map { "p$_" } 1 .. 1000), chat.v1
a header Sec-WebSocket-Protocol: chat.v1
a connect /chat?user=a | Sec-WebSocket-Protocol: constructor, __proto__
a connect /chat?user=a | Sec-WebSocket-Extensions: $(join ",", map { "x-e$_; a=b" } 1 .. 500), permessage-deflate
a header Sec-WebSocket-Extensions ~permessage-deflate
a connect /chat?user=a | Sec-WebSocket-Extensions: $("permessage-deflate; x=\"" x 400)
a header no Sec-WebSocket-Extensions
end
end



=== TEST 5: half a handshake ends by itself
--- http_config
    chat_zone chat:2m;
    client_header_timeout 500ms;
--- chat
a open
a raw "GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: webso"
a eof
b connect /chat?user=b
b < {"type":"welcome"}
b nothing 700ms
b > {"type":"ping","id":1}
b < {"type":"ok","id":1}



=== TEST 6: rooms are not made without end, nor joined and left
--- chat
a connect /rated?user=alice
a < {"type":"welcome"}
for i 1..3
a > {"type":"join","id":$i,"room":"room-$i"}
a < {"type":"ok","id":$i}
end
a > {"type":"join","id":4,"room":"room-4"}
a < {"type":"error","id":4,"code":"room_limit"}
a > {"type":"leave","id":5,"room":"room-1"}
a < {"type":"ok","id":5}
a > {"type":"join","id":6,"room":"room-5"}
a < {"type":"ok","id":6}
a > {"type":"join","id":7,"room":"room-1"}
a < {"type":"error","id":7,"code":"rate_limited"}
b connect /rated?user=alice other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"room-6"}
b < {"type":"error","id":1,"code":"rate_limited"}



=== TEST 7: no such room, and one that is not for you, are the same
--- http_config
    chat_zone chat:4m;
--- config
    location /chat {
        chat            chat;
        chat_user       $arg_user;
        chat_user_role  $arg_role;
    }
--- chat
o connect /chat?user=owner&role=owner
o < {"type":"welcome"}
o > {"type":"join","id":1,"room":"secret"}
o < {"type":"ok","id":1}
o > {"type":"set","id":2,"room":"secret","members_only":true}
o skip {"type":"ok","id":2}
a connect /chat?user=alice
a < {"type":"welcome"}
for room secret @owner
for type history members read
a > {"type":"$type","id":3,"room":"$room","seq":1}
a < {"type":"error","id":3}
end
end
a > {"type":"rooms","id":4}
a < {"type":"ok","id":4,"rooms":[]}
a > {"type":"join","id":5,"room":"secret"}
a < {"type":"error","id":5,"code":"forbidden"}
