
# Tests for chat_access: rules of variables that are asked at the time of each
# act, for the room that it is in.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config(<<'_EOC_');
    chat_zone  chat:2m;
    chat_close_delay  0s;

    map $chat_room $may_join {
        default  1;
        hidden   0;
        nobody   "";
    }

    map "$chat_user:$chat_room" $may_send {
        default          1;
        ~^bob:news$      0;
        ~^alice:@carol$  0;
    }

    map "$arg_plan:$chat_room" $may_read {
        default       1;
        "free:news"   0;
    }

    map $chat_role $may_moderate {
        default  0;
        owner    1;
    }

    map "$rooms:$chat_room" $stored {
        default  0;
        "~^[^:]*\b(?<name>\w+)\b[^:]*:(?P=name)$"  1;
    }

    map $cookie_badge $staff {
        default  member;
        red      moderator;
        gold     owner;
    }
_EOC_

default_config(<<'_EOC_');
    location /chat {
        chat            chat;
        chat_user       $arg_user;
        chat_user_role  $staff;
        chat_access     join      $may_join;
        chat_access     send      $may_send;
        chat_access     history   $may_read;
        chat_access     moderate  $may_moderate;
    }

    # the value at the handshake is another one than that of the act
    location /early {
        chat         chat;
        chat_user    $arg_user;
        chat_room    lobby;
        chat_user_name  "$arg_user $may_join";
        chat_access  join  $may_join;
    }

    location ~ ^/stored/(?<team>\w+)$ {
        set              $suffix     -room;
        auth_request     /backend;
        auth_request_set $rooms      $upstream_http_x_rooms;
        chat             chat;
        chat_user        $arg_user;
        chat_access      join  $stored;
        chat_access      send  "$team$suffix";
    }

    location = /backend {
        internal;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_SERVER_PORT/answer;
    }

    location = /answer {
        add_header  X-Rooms  $http_x_these;
        return      204;
    }

    location /shut {
        chat         chat;
        chat_room    lobby;
        chat_access  join  0;
    }

    location /raw {
        chat           chat;
        chat_protocol  raw;
        chat_room      $arg_room;
        chat_user      $arg_user;
        chat_access    join  $may_join;
        chat_access    send  $may_send;
        chat_access    history  $may_read;
    }

    location /constant {
        chat         chat;
        chat_user    $arg_user;
        chat_access  send  no;
        chat_access  history  "";
    }
_EOC_

play();

__DATA__

=== TEST 1: each room has its own answer, and one after the other
--- chat
alice connect /chat?user=alice
alice skip {"type":"welcome"}
alice > {"type":"join","id":1,"room":"lobby"}
alice < {"type":"ok","id":1}
alice > {"type":"join","id":2,"room":"hidden"}
alice < {"type":"error","id":2,"code":"forbidden","message":"an access rule does not allow this"}
log 1 ~client was refused by an access rule or its API key, room: "hidden".*user: "alice"
alice > {"type":"join","id":3,"room":"news"}
alice < {"type":"ok","id":3}
alice > {"type":"join","id":4,"room":"nobody"}
alice < {"type":"error","id":4,"code":"forbidden"}
alice > {"type":"send","id":5,"room":"hidden","text":"x"}
alice < {"type":"error","id":5,"code":"not_joined"}



=== TEST 2: sending and all that is like it; other rooms and users go on
--- chat
alice connect /chat?user=alice
alice skip {"type":"welcome"}
bob connect /chat?user=bob other=alice
bob skip {"type":"welcome"}
alice > {"type":"join","id":1,"room":"news"}
alice < {"type":"ok","id":1}
bob > {"type":"join","id":1,"room":"news"}
bob < {"type":"ok","id":1}
bob > {"type":"join","id":2,"room":"lobby"}
bob < {"type":"ok","id":2}
alice > {"type":"send","id":2,"room":"news","text":"one"}
alice < {"type":"ok","id":2,"seq":1}
alice < {"type":"message","seq":1}
bob < {"type":"message","room":"news","seq":1}
bob > {"type":"send","id":3,"room":"news","text":"x"}
bob < {"type":"error","id":3,"code":"forbidden","message":"an access rule does not allow this"}
bob > {"type":"react","id":4,"room":"news","seq":1,"emoji":"+"}
bob < {"type":"error","id":4,"code":"forbidden"}
bob > {"type":"typing","id":5,"room":"news"}
bob < {"type":"error","id":5,"code":"forbidden"}
bob > {"type":"edit","id":6,"room":"news","seq":1,"text":"x"}
bob < {"type":"error","id":6,"code":"forbidden"}
bob > {"type":"send","id":7,"room":"lobby","text":"two"}
bob < {"type":"ok","id":7}
bob < {"type":"message","room":"lobby","seq":1}
bob > {"type":"history","id":8,"room":"news"}
bob < {"type":"ok","id":8}



=== TEST 3: a direct message is sent to a room of that user's name
--- chat
alice connect /chat?user=alice
alice skip {"type":"welcome"}
carol connect /chat?user=carol other=alice
carol skip {"type":"welcome"}
bob connect /chat?user=bob
bob skip {"type":"welcome"}
alice > {"type":"send","id":1,"to":"carol","text":"x"}
alice < {"type":"error","id":1,"code":"forbidden"}
log 1 ~client was refused by an access rule or its API key, room: "@carol".*user: "alice"
alice > {"type":"typing","id":2,"to":"carol"}
alice < {"type":"error","id":2,"code":"forbidden"}
bob > {"type":"send","id":3,"to":"carol","text":"hello"}
carol < {"type":"message","room":"@carol","text":"hello"}
alice > {"type":"send","id":4,"to":"bob","text":"hello"}
bob < {"type":"ok","id":3}
bob < {"type":"message","room":"@bob"}
bob < {"type":"message","room":"@bob","user":"alice"}



=== TEST 4: no history, neither asked for nor with a join
--- chat
alice connect /chat?user=alice
alice skip {"type":"welcome"}
alice > {"type":"join","id":1,"room":"news"}
alice < {"type":"ok","id":1,"epoch":"$epoch"}
alice > {"type":"send","id":2,"room":"news","text":"one"}
alice < {"type":"ok","id":2,"seq":1}
alice < {"type":"message","seq":1}
bob connect /chat?user=bob&plan=free other=alice
bob skip {"type":"welcome"}
bob > {"type":"join","id":1,"room":"news"}
bob < {"type":"ok","id":1,"seq":1,"messages":[]}
bob > {"type":"join","id":2,"room":"news","epoch":"$epoch","seq":0}
bob < {"type":"ok","id":2,"seq":1,"recovered":false,"messages":[]}
bob > {"type":"history","id":3,"room":"news"}
bob < {"type":"error","id":3,"code":"forbidden"}
bob > {"type":"join","room":"news","epoch":"$epoch","seq":0}
bob > {"type":"ping","id":4}
bob < {"type":"ok","id":4}
alice > {"type":"send","id":3,"room":"news","text":"two"}
bob < {"type":"message","seq":2}
carol connect /chat?user=carol&plan=free other=alice
carol skip {"type":"welcome"}
carol > {"type":"join","room":"news","epoch":"$epoch","seq":0}
carol > {"type":"ping","id":1}
carol < {"type":"ok","id":1}
dave connect /chat?user=dave&plan=paid other=alice
dave skip {"type":"welcome"}
dave > {"type":"join","id":1,"room":"news"}
dave < {"type":"ok","id":1,"messages":[{"text":"one"},{"text":"two"}]}



=== TEST 5: moderating, with the role that one has in that room
--- chat
mod connect /chat?user=mod | Cookie: badge=red
mod skip {"type":"welcome"}
owner connect /chat?user=owner | Cookie: badge=gold
owner skip {"type":"welcome"}
bob connect /chat?user=bob other=mod
bob skip {"type":"welcome"}
bob > {"type":"join","id":1,"room":"lobby"}
bob < {"type":"ok","id":1}
bob > {"type":"send","id":2,"room":"lobby","text":"one"}
bob < {"type":"ok","id":2}
bob < {"type":"message","seq":1}
mod > {"type":"join","id":1,"room":"lobby"}
mod < {"type":"ok","id":1,"role":"moderator"}
mod > {"type":"mute","id":2,"room":"lobby","user":"bob"}
mod < {"type":"error","id":2,"code":"forbidden","message":"an access rule does not allow this"}
mod > {"type":"set","id":3,"room":"lobby","topic":"x"}
mod < {"type":"error","id":3,"code":"forbidden","message":"an access rule does not allow this"}
mod > {"type":"delete","id":4,"room":"lobby","seq":1}
mod < {"type":"error","id":4,"code":"forbidden"}
owner > {"type":"grant","id":1,"room":"lobby","user":"mod","role":"owner"}
owner < {"type":"ok","id":1}
mod < {"type":"granted","user":"mod","role":"owner"}
mod > {"type":"delete","id":5,"room":"lobby","seq":1}
mod < {"type":"ok","id":5}
mod < {"type":"deleted","target":1}
mod > {"type":"mute","id":6,"room":"lobby","user":"bob"}
mod < {"type":"ok","id":6}
mod < {"type":"muted","user":"bob"}



=== TEST 6: a room that may not be joined is not listed
--- chat
alice connect /constant?user=alice
alice skip {"type":"welcome"}
alice > {"type":"join","id":1,"room":"hidden"}
alice < {"type":"ok","id":1}
alice > {"type":"join","id":2,"room":"lobby"}
alice < {"type":"ok","id":2}
alice > {"type":"rooms","id":3}
alice < {"type":"ok","id":3,"rooms":[{"room":"lobby"},{"room":"hidden"}]}
bob connect /chat?user=bob other=alice
bob skip {"type":"welcome"}
bob > {"type":"rooms","id":1}
bob < ~"rooms":\[\{"room":"lobby"[^}]*\}\]



=== TEST 7: what a map gave at the handshake is not what it gives now
--- chat
alice connect /early?user=alice
alice < {"type":"welcome","name":"alice 1"}
alice < {"type":"joined","room":"lobby"}
alice > {"type":"join","id":1,"room":"hidden"}
alice < {"type":"error","id":1,"code":"forbidden"}
alice > {"type":"join","id":2,"room":"open"}
alice < {"type":"ok","id":2}



=== TEST 8: what was stored in the handshake is there: set, captures, a backend's header
--- chat
alice connect /stored/blue?user=alice | X-These: one,two
alice skip {"type":"welcome"}
alice > {"type":"join","id":1,"room":"one"}
alice < {"type":"ok","id":1}
alice > {"type":"join","id":2,"room":"three"}
alice < {"type":"error","id":2,"code":"forbidden"}
alice > {"type":"join","id":3,"room":"two"}
alice < {"type":"ok","id":3}
alice > {"type":"send","id":4,"room":"two","text":"x"}
alice < {"type":"ok","id":4}
alice < {"type":"message","room":"two"}
log no ~uninitialized



=== TEST 9: the room of the location, and rules without variables
--- chat
alice connect /shut
alice < {"type":"welcome"}
alice < {"type":"error","code":"forbidden"}
alice > {"type":"ping","id":1}
alice < {"type":"ok","id":1}
bob connect /constant?user=bob
bob skip {"type":"welcome"}
bob > {"type":"join","id":1,"room":"lobby"}
bob < {"type":"ok","id":1,"messages":[]}
bob > {"type":"send","id":2,"room":"lobby","text":"x"}
bob < {"type":"ok","id":2}
bob < {"type":"message"}
bob > {"type":"history","id":3,"room":"lobby"}
bob < {"type":"error","id":3,"code":"forbidden"}



=== TEST 10: raw mode: no handshake, no sending, no history
--- chat
eve refused 403 /raw?room=hidden
log ~an access rule or its API key does not let it in
alice connect /raw?room=news&user=alice
bob connect /raw?room=news&user=bob other=alice
alice text one
alice recv text one
bob recv text one
bob text two
alice text three
alice recv text three
bob recv text three
carol connect /raw?room=news&user=carol other=alice
carol recv text one
carol recv text three
dave connect /raw?room=news&user=dave&plan=free other=alice
alice text four
dave recv text four



=== TEST 11: with a reload while it is there
--- chat
alice connect /chat?user=alice
alice skip {"type":"welcome"}
alice > {"type":"join","id":1,"room":"lobby"}
alice < {"type":"ok","id":1}
nginx reload
alice skip {"type":"bye"}
alice closed 1012
bob connect /chat?user=bob
bob skip {"type":"welcome"}
bob > {"type":"join","id":1,"room":"hidden"}
bob < {"type":"error","id":1,"code":"forbidden"}
nginx renewed



=== TEST 12: mistakes
--- chat
conf bad location: chat chat; chat_access leave 1; => ~"leave" in "chat_access" directive, it must be "join", "send", "history" or "moderate"
conf bad location: chat chat; chat_access join 1; chat_access join 0; => ~"chat_access" directive is duplicate
conf bad location: chat chat; chat_access join; => ~number of arguments in "chat_access"
conf good location: chat chat; chat_access join 1; chat_access send 1;
