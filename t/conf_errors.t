
# Tests for configuration mistakes: each stops "nginx -t" with a message that
# names the directive and the value.

use lib 't/lib';
use Test::Nginx::Chat;

play();

__DATA__

=== TEST 1: chat_zone
--- chat
conf good http: chat_zone chat:1m;
conf good http: chat_zone chat:1m workers=1;
conf good http: chat_zone chat:1m workers=256;
conf good http: chat_zone one:1m; chat_zone two:2m;
for bad chat chat: chat:0 chat:x chat:-1m :1m chat:1q chat:1m:2m ""
conf bad http: chat_zone $bad; => ~"\Q$(Test::Nginx::Chat::Script::unescape($v{bad}))\E" in "chat_zone" directive.*"name:size"
end
conf bad http: chat_zone chat:4k; => ~"chat:4k" in "chat_zone" directive is too small
for bad 0 257 -1 x 1.5 "" 99999999999999999999
conf bad http: chat_zone chat:1m workers=$bad; => ~"workers=.*" in "chat_zone" directive
end
conf bad http: chat_zone chat:1m size=1; => ~"size=1" in "chat_zone" directive
conf bad http: chat_zone; => ~number of arguments in "chat_zone"
conf bad http: chat_zone chat:1m workers=1 x; => ~number of arguments in "chat_zone"
conf bad http: chat_zone chat:1m; chat_zone chat:1m; => ~"chat"
conf bad location: chat_zone other:1m; => ~"chat_zone" directive is not allowed
conf bad server: chat_zone other:1m; => ~"chat_zone" directive is not allowed



=== TEST 2: chat
--- chat
conf good location: chat chat;
conf bad location: chat nowhere; => ~"nowhere"
conf bad location: chat; => ~number of arguments in "chat"
conf bad location: chat chat chat; => ~number of arguments in "chat"
conf bad location: chat chat; chat chat; => ~"chat" directive is duplicate
conf bad location: chat ""; => ~"chat" directive
conf bad location: chat chat:1m; => ~"chat:1m" in "chat" directive
conf bad server: chat chat; => ~"chat" directive is not allowed
conf bad http: chat chat; => ~"chat" directive is not allowed



=== TEST 3: sizes
--- chat
for good 1 16k 64m
conf good chat: chat_message_size $good;
end
for bad 0 -1 x 1q 65m 1.5k ""
conf bad chat: chat_message_size $bad; => ~"\Q$(Test::Nginx::Chat::Script::unescape($v{bad}))\E" in "chat_message_size" directive.*between 1 and 64m
end
for good 16k 1024m
conf good chat: chat_backlog $good;
end
for bad 0 15k x 1025m
conf bad chat: chat_backlog $bad; => ~"\Q$bad\E" in "chat_backlog" directive.*between 16k and
end



=== TEST 4: numbers
--- chat
for name chat_history_page chat_rooms_per_connection
for good 1 50 1000
conf good chat: $name $good;
end
for bad 0 1001 -1 x 1k 1.5
conf bad chat: $name $bad; => ~"\Q$bad\E" in "$name" directive.*between 1 and 1000
end
end



=== TEST 5: times
--- chat
for name chat_ping_interval chat_close_delay chat_delay
for good 0 1s 500ms 60s
conf good chat: $name $good;
end
end
for name chat_ping_interval chat_send_timeout chat_close_delay chat_delay
for bad x -1 1q 1.5s 25h s
conf bad chat: $name $bad; => ~"\Q$bad\E" in "$name" directive
end
end
conf bad chat: chat_send_timeout 0; => ~"0" in "chat_send_timeout" directive
conf bad chat: chat_delay 61s; => ~"61s" in "chat_delay" directive



=== TEST 6: flags
--- chat
for name chat_guests chat_echo chat_keep_request
conf good chat: $name on;
conf good chat: $name off;
for bad yes 1 onn
conf bad chat: $name $bad; => ~"\Q$bad\E" in "$name" directive
end
end



=== TEST 7: chat_protocol, and the room that raw mode needs
--- chat
conf good chat: chat_protocol chat.v1;
conf good chat: chat_protocol raw; chat_room x;
conf good chat: chat_protocol raw; chat_room $arg_room;
for bad chat.v2 RAW rawx ""
conf bad chat: chat_protocol $bad; => ~"\Q$(Test::Nginx::Chat::Script::unescape($v{bad}))\E" in "chat_protocol" directive.*"chat.v1" or "raw"
end
conf bad chat: chat_protocol raw; => ~"chat_protocol raw" requires "chat_room" in location "/chat"
conf bad chat: chat_protocol raw; chat_room ""; => ~"chat_protocol raw" requires "chat_room"
conf bad chat: chat_room @inbox; => ~"@inbox" in "chat_room" directive
conf bad chat: chat_room $("x" x 129); => ~"xx+" in "chat_room" directive
conf bad chat: chat_room $nosuchvariable; => ~unknown "nosuchvariable" variable



=== TEST 8: chat_history
--- chat
conf good chat: chat_history off;
conf good chat: chat_history messages=1;
conf good chat: chat_history age=1s;
conf good chat: chat_history messages=1000000 age=365d;
conf good chat: chat_history age=1s messages=5;
for bad on messages=0 messages=-1 messages=x messages= messages=1000001 age=0 age=x age= 100 size=1
conf bad chat: chat_history $bad; => ~"\Q$bad\E" in "chat_history" directive
end
conf bad chat: chat_history off messages=1; => ~"off" in "chat_history" directive
conf bad chat: chat_history messages=1 off; => ~"off" in "chat_history" directive
conf bad chat: chat_history messages=1 messages=2; => ~"messages=2" in "chat_history" directive
conf bad chat: chat_history age=1s age=2s; => ~"age=2s" in "chat_history" directive
conf bad chat: chat_history; => ~number of arguments in "chat_history"



=== TEST 9: chat_compression
--- chat
conf good chat: chat_compression on;
conf good chat: chat_compression off;
conf good chat: chat_compression on min=0;
conf good chat: chat_compression on min=1k level=9;
conf good chat: chat_compression on level=1 min=64;
for bad yes min=64
conf bad chat: chat_compression $bad; => ~"\Q$bad\E" in "chat_compression" directive
end
for bad min=x min=-1 min= level=0 level=10 level=x level= window=9 off
conf bad chat: chat_compression on $bad; => ~"\Q$bad\E" in "chat_compression" directive
end
conf bad chat: chat_compression on level=1 level=2; => ~"level=2" in "chat_compression" directive
conf bad chat: chat_compression on min=1 min=2; => ~"min=2" in "chat_compression" directive



=== TEST 10: chat_origins
--- chat
conf good chat: chat_origins same;
conf good chat: chat_origins any;
conf good chat: chat_origins example.com;
conf good chat: chat_origins same example.com *.example.com https://example.net:8443 ~^https://x;
for bad ~ ~( https:// *. * exa*mple.com example.com:x example.com:99999 https://example.com/path ""
conf bad chat: chat_origins $bad; => ~"chat_origins" directive
end
conf bad chat: chat_origins any same; => ~"chat_origins" directive
conf bad chat: chat_origins same any; => ~"chat_origins" directive
conf bad chat: chat_origins any example.com; => ~"chat_origins" directive
conf bad chat: chat_origins; => ~number of arguments in "chat_origins"



=== TEST 11: chat_log
--- chat
conf good chat: chat_log off;
conf good chat: chat_log logs/x.log;
conf good chat: chat_log logs/x.log combined;
conf good chat: chat_log logs/x.log; chat_log logs/y.log combined;
conf bad chat: chat_log off combined; => ~"off" in "chat_log" directive
conf bad chat: chat_log ""; => ~"" in "chat_log" directive
conf bad chat: chat_log logs/x.log nosuchformat; => ~nosuchformat
conf bad chat: chat_log off; chat_log logs/x.log; => ~"chat_log" directive is duplicate
conf bad chat: chat_log logs/x.log; chat_log off; => ~"chat_log" directive is duplicate
conf bad chat: chat_log; => ~number of arguments in "chat_log"



=== TEST 12: chat_rate
--- chat
conf good chat: chat_rate off;
conf good chat: chat_rate rate=1r/s;
conf good chat: chat_rate rate=1r/m burst=1 key=$arg_x$chat_user action=reject;
conf good chat: chat_rate action=delay key=x burst=6000 rate=1000000r/s;
conf good chat: chat_rate rate=1r/s action=close; chat_rate rate=1r/s key=$chat_session;
conf good chat: $("chat_rate rate=1r/s; " x 8)
conf bad chat: $("chat_rate rate=1r/s; " x 9) => ~too many "chat_rate" directives, 8 may
for bad rate=0r/s rate=1 rate=1r rate=r/s rate= rate=-1r/s rate=1.5r/s rate=x rate=1r/h rate=1000001r/s
conf bad chat: chat_rate $bad; => ~"\Q$bad\E" in "chat_rate" directive, it must be "rate=" and a number from 1 to 1000000
end
for bad burst=0 burst=6001 burst=x burst=-1 burst=
conf bad chat: chat_rate rate=1r/s $bad; => ~"\Q$bad\E" in "chat_rate" directive, it must be "burst=" and a number from 1 to 6000
end
for bad action=drop action= action=rejected action=rej
conf bad chat: chat_rate rate=1r/s $bad; => ~"\Q$bad\E" in "chat_rate" directive, it must be "action=" and "reject", "delay" or "close"
end
for bad key= size=1 off on rate=2r/s
conf bad chat: chat_rate rate=1r/s $bad; => ~"\Q$bad\E" in "chat_rate" directive, it must be "off" alone, or one each of
end
for bad burst=1 key=x action=delay
conf bad chat: chat_rate $bad; => ~"\Q$bad\E" in "chat_rate" directive, it must be "off", or have "rate="
end
conf bad chat: chat_rate rate=1r/s key=$nosuchvariable; => ~unknown "nosuchvariable" variable
conf bad chat: chat_rate; => ~number of arguments in "chat_rate"
conf bad chat: chat_rate off; chat_rate rate=1r/s; => ~"chat_rate" directive is duplicate
conf bad chat: chat_rate rate=1r/s; chat_rate off; => ~"chat_rate" directive is duplicate
conf bad chat: chat_rate off; chat_rate off; => ~"chat_rate" directive is duplicate



=== TEST 13: chat_filter and chat_room_names
--- chat
conf good chat: chat_filter off;
conf good chat: chat_filter ~x mask;
conf good chat: chat_filter ~*x mask ""; chat_filter ~y reject; chat_filter ~z mask +;
for bad x ~ ~* on "" *x
conf bad chat: chat_filter $bad mask; => ~"\Q$(Test::Nginx::Chat::Script::unescape($v{bad}))\E" in "chat_filter" directive, it must be "off", or a regular expression
end
for bad ( a)b +x [a \\C (?<n (?z)
conf bad chat: chat_filter ~$bad mask; => ~in "chat_filter" directive, it must be a regular expression: \w
end
conf bad chat: chat_filter ~ab( mask; => ~"ab\(" in "chat_filter" directive, it must be a regular expression: missing closing parenthesis at ""
conf bad chat: chat_filter ~x; => ~"~x" in "chat_filter" directive, it must be followed by "reject" alone, or by "mask"
conf bad chat: chat_filter ~x drop; => ~"drop" in "chat_filter" directive, it must be followed by
conf bad chat: chat_filter ~x reject why; => ~"reject" in "chat_filter" directive, it must be followed by
conf bad chat: chat_filter ~x mask $("\xff"); => ~in "chat_filter" directive, it must be UTF-8
conf bad chat: chat_filter ~x mask + +; => ~number of arguments in "chat_filter"
conf bad chat: chat_filter; => ~number of arguments in "chat_filter"
conf bad chat: chat_filter off; chat_filter ~x mask; => ~"chat_filter" directive is duplicate
conf bad chat: chat_filter ~x mask; chat_filter off; => ~"chat_filter" directive is duplicate
conf good chat: chat_room_names ^x$;
conf bad chat: chat_room_names ""; => ~"" in "chat_room_names" directive, it must be a regular expression
conf bad chat: chat_room_names ^(x; => ~"\^\(x" in "chat_room_names" directive, it must be a regular expression: missing closing parenthesis at ""
conf bad chat: chat_room_names a b; => ~number of arguments in "chat_room_names"



=== TEST 14: presence and rooms
--- chat
for good full count off
conf good chat: chat_presence $good;
end
for bad on FULL counts ""
conf bad chat: chat_presence $bad; => ~"\Q$(Test::Nginx::Chat::Script::unescape($v{bad}))\E" in "chat_presence" directive, it must be "full", "count" or "off"
end
conf good chat: chat_room_members off;
for name chat_room_members chat_presence_limit
for good 1 1000000
conf good chat: $name $good;
end
for bad 0 1000001 -1 x 1k on
conf bad chat: $name $bad; => ~"\Q$bad\E" in "$name" directive, it must be .*a number between 1 and 1000000
end
end
conf bad chat: chat_presence_limit off; => ~"off" in "chat_presence_limit" directive
for good 0 1ms 1d
conf good chat: chat_leave_delay $good;
end
for bad 25h x -1
conf bad chat: chat_leave_delay $bad; => ~"\Q$bad\E" in "chat_leave_delay" directive, it must be a time up to 1d
end
for good 1s 1d
conf good chat: chat_nonce_window $good;
end
for bad 0 999ms 25h x
conf bad chat: chat_nonce_window $bad; => ~"\Q$bad\E" in "chat_nonce_window" directive, it must be a time between 1s and 1d
end
for good 1s 24d
conf good chat: chat_room_idle $good;
end
for bad 0 999ms 25d x
conf bad chat: chat_room_idle $bad; => ~"\Q$bad\E" in "chat_room_idle" directive, it must be a time between 1s and 24d
end
conf good chat: chat_user_role $arg_role;
conf bad chat: chat_user_role $nosuchvariable; => ~unknown "nosuchvariable" variable
for role "" member moderator owner
conf good chat: chat_user_role $role;
end
conf bad chat: chat_user_role king; => ~invalid value "king" in "chat_user_role" directive, it must be "member", "moderator" or "owner"
conf bad http: chat_user_role moderators; => ~"moderators" in "chat_user_role" directive



=== TEST 15: twice
--- chat
conf bad chat: chat_user_role member; chat_user_role owner; => ~"chat_user_role" directive is duplicate
conf bad chat: chat_room_names x; chat_room_names y; => ~"chat_room_names" directive is duplicate
conf bad chat: chat_presence off; chat_presence full; => ~"chat_presence" directive is duplicate
conf bad chat: chat_room_members off; chat_room_members 5; => ~"chat_room_members" directive is duplicate
conf bad chat: chat_room_members 5; chat_room_members off; => ~"chat_room_members" directive is duplicate
conf bad chat: chat_protocol raw; chat_protocol raw; => ~"chat_protocol" directive is duplicate
conf bad chat: chat_room x; chat_room y; => ~"chat_room" directive is duplicate
conf bad chat: chat_user x; chat_user y; => ~"chat_user" directive is duplicate
conf bad chat: chat_user_name x; chat_user_name y; => ~"chat_user_name" directive is duplicate
conf bad chat: chat_user_color "#000000"; chat_user_color "#ffffff"; => ~"chat_user_color" directive is duplicate
conf bad chat: chat_origins any; chat_origins any; => ~"chat_origins" directive is duplicate
conf bad chat: chat_history off; chat_history off; => ~"chat_history" directive is duplicate
conf bad chat: chat_compression on; chat_compression on; => ~"chat_compression" directive is duplicate
for name chat_guests chat_echo chat_keep_request
conf bad chat: $name on; $name on; => ~"$name" directive is duplicate
end
for name chat_message_size chat_backlog
conf bad chat: $name 32k; $name 32k; => ~"$name" directive is duplicate
end
for name chat_history_page chat_rooms_per_connection chat_ping_interval \
    chat_send_timeout chat_close_delay chat_delay chat_leave_delay \
    chat_nonce_window chat_room_idle chat_presence_limit chat_room_members
conf bad chat: $name 10; $name 10; => ~"$name" directive is duplicate
end



=== TEST 16: defaults may stand above
--- chat
for level http server location
conf good $level: chat_message_size 1k; chat_history off; chat_origins any; \
    chat_user $arg_user; chat_guests off; chat_compression off; chat_echo off; \
    chat_ping_interval 1s; chat_send_timeout 1s; chat_close_delay 1s; chat_delay 1s; \
    chat_keep_request on; chat_log off; chat_backlog 64k; chat_history_page 5; \
    chat_rooms_per_connection 5; chat_room x; chat_user_name x; chat_user_color "#AbCdEf"; \
    chat_protocol raw; chat_rate rate=1r/s; chat_filter ~x mask; chat_room_names x; \
    chat_user_role owner; chat_presence count; chat_presence_limit 5; \
    chat_leave_delay 1s; chat_nonce_window 1s; chat_room_idle 1s; chat_room_members 5;
end
conf good http: log_format all "$chat_user $chat_user_name $chat_session $chat_room \
    $chat_protocol $chat_transport $chat_messages_in $chat_messages_out \
    $chat_bytes_in $chat_bytes_out $chat_close_code $chat_role $chat_duration \
    $chat_zone_size_chat $chat_zone_used_chat $chat_zone_free_chat";
conf bad http: log_format all "$chat_nonsense"; => ~chat_nonsense



=== TEST 17: people, where nothing of them is a variable
--- chat
conf good chat: chat_user x; chat_user_name "$("n" x 64)"; chat_user_color "#3A7bd5";
conf good chat: chat_user ""; chat_user_name ""; chat_user_color "";
conf good chat: chat_user_color $arg_color; chat_user_name $arg_name$arg_name;
conf bad chat: chat_user_color red; => ~invalid value "red" in "chat_user_color" directive, it must be a color as "#3a7bd5"
conf bad chat: chat_user_color "#3a7bd"; => ~"#3a7bd" in "chat_user_color" directive
conf bad chat: chat_user_color "#3a7bdg"; => ~"#3a7bdg" in "chat_user_color" directive
for name chat_user chat_user_name
conf bad chat: $name "$("n" x 65)"; => ~in "$name" directive, it must be 1 to 64 bytes of UTF-8
conf bad chat: $name "a\tb"; => ~in "$name" directive, it must be 1 to 64 bytes of UTF-8
end
