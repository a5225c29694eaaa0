
# Tests for a worker that dies inside: stopped by a debugger where it holds a
# lock and has changed half of something, and killed there.  The others go on
# within a second, and what was acknowledged is whole.

use lib 't/lib';
use Test::Nginx::Chat;
use Test::Nginx::Chat::Gdb;

default_http_config('chat_zone chat:1m;');

default_config(<<'_EOC_');
    location /chat {
        chat          chat;
        chat_user     $arg_user;
        chat_history  messages=20 age=1h;
        chat_backlog  16k;
    }
_EOC_

need_gdb();

our $Gdb;

play();


# The worker of that client dies in the function, so many instructions later
# than where it begins, the next time it comes there.

sub dies_in {
    my ($script, $who, $function, $further) = @_;

    my $mark = Test::Nginx::Util::server_root() . '/logs/stopped';
    my $pid = $script->client($who)->{worker};
    unlink $mark;
    $script->{old} = { $script->{server}->workers };

    my @commands = ("break $function", "shell touch $mark", 'continue',
                    $further ? "stepi $further" : (), 'kill');

    $Gdb = gdb($pid, "$mark.out", @commands);

    $script->{server}->wait_for('a breakpoint', sub { -f $mark });
}


sub is_dead {
    my ($script, $who) = @_;

    my $pid = $script->client($who)->{worker};
    my $server = $script->{server};

    $server->wait_for('a death in that place', sub {
        return !Test::Nginx::Chat::Server::alive($pid);
    });
    $server->wait_for_another(%{ $script->{old} });
    waitpid $Gdb, 0;
}


# all that the history has is consecutive up to the last number

sub whole {
    my ($script, $who, $room) = @_;

    my $client = $script->client($who);
    $client->frame(op => 1, payload =>
        qq({"type":"history","id":"whole","room":"$room","limit":100}));

    for ( ;; ) {
        my $event = $script->get($client);
        my $o = Test::Nginx::Chat::Match::decode($event->{payload});
        next if ($o->{id} // '') ne 'whole';

        my @seqs = map { $_->{seq} } @{ $o->{messages} };
        die "@seqs\n" if !@seqs || "@seqs" ne join ' ', $seqs[0] .. $seqs[-1];
        die "a damaged one\n"
            if grep { $_->{text} !~ /^[a-z0-9_ ]+$/ } @{ $o->{messages} };
        return;
    }
}

__DATA__

=== TEST 1: while it appends
--- quit_time: 20
--- chat
timeout 20s
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"epoch":"$epoch"}
for i 1..30
a > {"type":"send","room":"lobby","text":"old $i $("x" x 300)"}
a < {"type":"message"}
end
for f log_append_locked block_alloc log_trim_locked block_free zone_push
for further 0 40
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
b < {"type":"ok","id":1,"epoch":"$epoch"}
perl dies_in b ngx_http_chat_$f $further
for i 1..9
b > {"type":"send","room":"lobby","text":"b $("y" x 500)"}
end
perl is_dead b
within 1500ms
a > {"type":"send","id":2,"room":"lobby","text":"a after $f $("z" x 500)"}
a skip {"type":"ok","id":2}
end
perl whole a lobby
end
end
c connect /chat?user=carol other=a
c < {"type":"welcome"}
c > {"type":"join","id":1,"room":"lobby","history":20}
c < {"type":"ok","id":1,"epoch":"$epoch","messages":"%[20]"}
--- faults
exited on signal 9



=== TEST 2: while it joins, reads, leaves
--- quit_time: 20
--- chat
timeout 20s
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"epoch":"$epoch"}
for i 1..5
a > {"type":"send","room":"lobby","text":"old $i"}
a < {"type":"message"}
end
for f room_join log_visible_locked log_seek_locked log_read_locked room_leave zone_pull
for further 0 60
b connect /chat?user=bob other=a
b < {"type":"welcome"}
perl dies_in b ngx_http_chat_$f $further
b > {"type":"join","id":1,"room":"lobby"}
b > {"type":"join","id":1,"room":"new $f"}
a > {"type":"send","room":"lobby","text":"news"}
b > {"type":"send","room":"lobby","text":"b"}
b > {"type":"leave","id":1,"room":"lobby"}
perl is_dead b
within 1500ms
a > {"type":"send","id":2,"room":"lobby","text":"a after $f"}
a skip {"type":"ok","id":2}
a > {"type":"join","id":3,"room":"new $f"}
a skip {"type":"ok","id":3}
end
perl whole a lobby
end
end
--- faults
exited on signal 9
