
# Tests for a module that is loaded and not used, or used by a part only: no
# zone, no descriptor, no timer, no line in the log.

use lib 't/lib';
use Test::Nginx::Chat;

play();


sub descriptors {
    my ($script) = @_;

    # valgrind has a pipe of its own in each process
    return if $ENV{VALGRIND_OPTIONS};

    my %worker = $script->{server}->workers;
    my %ours = map { (readlink($_) // '') => 1 } glob "/proc/$$/fd/*";

    for my $pid (keys %worker) {
        my @strange = grep { /eventfd|pipe:/ && !$ours{$_} }
                      map { readlink($_) // '' } glob "/proc/$pid/fd/*";

        # one eventfd is nginx's own, for its threads
        die "@strange\n" if @strange > 1;
    }
}


sub quiet {
    my ($script) = @_;

    my $root = Test::Nginx::Util::server_root();
    my @lines = grep { s/\Q$root\E//gr =~ /chat/i } $script->{server}->log;
    die @lines if @lines;
}

__DATA__

=== TEST 1: nothing of it in the configuration
--- http_config
--- config
    location /plain { return 200 plain; }
--- chat
a refused 200 /plain
a refused 404 /nothing
perl descriptors
perl quiet
nginx reload
nginx renewed
a refused 200 /plain
perl quiet



=== TEST 2: no http block's directive but defaults
--- http_config
    chat_message_size  1k;
    chat_user          $arg_user;
--- config
    location /plain { return 200 plain; }
--- chat
a refused 200 /plain
perl descriptors
nginx reload
nginx renewed



=== TEST 3: a zone that no location uses
--- http_config
    chat_zone  chat:1m;
--- config
    location /plain { return 200 plain; }
--- chat
a refused 200 /plain
nginx reload
nginx renewed
a refused 200 /plain
nginx quit
nginx stopped



=== TEST 4: its variables outside of a chat are empty
--- config
    location /plain {
        return 200 "[$chat_user$chat_user_name$chat_session$chat_room$chat_protocol$chat_transport$chat_messages_in$chat_messages_out$chat_bytes_in$chat_bytes_out$chat_close_code]";
    }
--- chat
a refused 200 /plain
a body ~\[\]



=== TEST 5: taken away and put back by reloads
--- http_config
    chat_zone  chat:1m;
--- config
    location /chat {
        chat chat;
        chat_user $arg_user;
    }
--- chat
timeout 20s
a connect /chat?user=alice
a < {"type":"welcome"}
nginx edit s/^( +chat)/#$1/mg
nginx reload
a skip eof
nginx renewed
b refused 404 /chat
nginx edit s/^#( +chat)/$1/mg
nginx reload
nginx renewed
a connect /chat?user=alice
a < {"type":"welcome","user":"alice"}
