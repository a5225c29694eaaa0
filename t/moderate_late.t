
# Tests for what happens in the middle of moderation: a message that slips in
# while a purge looks for others, and commands of one who was just removed.

use lib 't/lib';
use Test::Nginx::Chat;
use Test::Nginx::Chat::Gdb;

default_config(<<'_EOC_');
    location /chat {
        chat            chat;
        chat_user       $arg_user;
        chat_user_role  $arg_role;
        chat_presence   off;
        chat_rate       off;
    }
_EOC_

need_gdb();

our $Gdb;

play();


# The worker of that client stops at the function, the next time it comes
# there, until it may go on.

sub stops_in {
    my ($script, $who, $function) = @_;

    my $dir = Test::Nginx::Util::server_root() . '/logs';
    my $pid = $script->client($who)->{worker};
    unlink map { "$dir/$_" } qw( ready stopped further );

    my @commands = ("break $function", "shell touch $dir/ready", 'continue',
                    "shell touch $dir/stopped; until [ -f $dir/further ];"
                    . ' do sleep 0.02; done', 'detach');

    $Gdb = gdb($pid, "$dir/gdb.out", @commands);

    wait_for_file($script, 'ready');
}


sub has_stopped { wait_for_file($_[0], 'stopped') }


sub goes_on {
    my ($script) = @_;

    open my $file, '>', Test::Nginx::Util::server_root() . '/logs/further';
    waitpid $Gdb, 0;
}


sub wait_for_file {
    my ($script, $name) = @_;

    my $file = Test::Nginx::Util::server_root() . "/logs/$name";

    $script->{server}->wait_for("the debugger: $name", sub { -f $file });
}

__DATA__

=== TEST 1: what is written while a purge looks goes too
--- chat
timeout 20s
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
bob > {"type":"send","id":2,"room":"lobby","text":"old"}
bob skip {"type":"ok","id":2,"seq":1}
perl stops_in ann ngx_http_chat_publish
ann > {"type":"ban","id":3,"room":"lobby","user":"bob","purge":true}
perl has_stopped
bob > {"type":"send","id":4,"room":"lobby","text":"late"}
bob skip {"type":"ok","id":4,"seq":2}
perl goes_on
ann skip {"type":"ok","id":3}
bob skip {"type":"banned","seq":3}
ann > {"type":"history","id":5,"room":"lobby"}
ann skip {"type":"ok","id":5,"messages":[ \
    {"type":"message","seq":1,"text":"%absent","deleted":"%int"}, \
    {"type":"message","seq":2,"text":"%absent","deleted":"%int"}, \
    {"type":"banned","seq":3}, \
    {"type":"deleted","seq":4,"target":2,"user":"ann"}]}



=== TEST 2: who is banned while his message is at the door
--- chat
timeout 20s
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
perl stops_in bob ngx_http_chat_publish
bob > {"type":"send","id":2,"room":"lobby","text":"too late"}
perl has_stopped
ann > {"type":"ban","id":3,"room":"lobby","user":"bob"}
ann skip {"type":"ok","id":3}
perl goes_on
bob skip {"type":"error","id":2,"code":"banned","until":null}

# he stays connected
bob > {"type":"ping","id":4}
bob skip {"type":"ok","id":4}
ann > {"type":"history","id":5,"room":"lobby"}
ann skip {"type":"ok","id":5,"messages":[{"type":"banned"}]}



=== TEST 3: who was removed, before his worker has come to it
--- chat
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
eve connect /chat?user=eve same=bob
for who ann bob eve
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
nginx freeze bob
ann > {"type":"ban","id":2,"room":"lobby","user":"bob"}
ann skip {"type":"ok","id":2}
ann > {"type":"kick","id":3,"room":"lobby","user":"eve"}
ann skip {"type":"ok","id":3}
for who bob eve
$who > {"type":"members","id":4,"room":"lobby"}
end
nginx thaw
bob skip {"type":"error","id":4,"code":"banned","until":null}
eve skip {"type":"error","id":4,"code":"not_joined"}
