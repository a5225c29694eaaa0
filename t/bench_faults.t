# The load generator of the bench must see what a server does wrong: a figure
# for messages that were lost, repeated, reordered or sent to the wrong member
# means nothing.  A floor server that is built to go wrong shows that it does.

use strict;
use warnings;

use File::Temp qw/ tempdir /;
use FindBin;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw/ sleep /;

my $bench = "$FindBin::Bin/bench";
my $dir = tempdir(CLEANUP => 1);
my $cc = $ENV{CC} || 'cc';

plan skip_all => 'no C compiler or no OpenSSL headers'
    if system("echo '#include <openssl/ssl.h>'"
              . " | $cc -E - >/dev/null 2>&1");

plan tests => 10;

my @sources = grep { !/floor/ } glob("$bench/*.c");

is(system($cc, '-std=c11', '-O2', '-o', "$dir/load", @sources, '-lssl',
          '-lcrypto'),
   0, 'the load generator builds');

my %sound = faults(0);

cmp_ok($sound{deliveries}, '>', 100, 'messages come');
is($sound{$_}, 0, "a sound server: none $_")
    for qw/ lost repeated astray unordered /;

cmp_ok({ faults(1) }->{lost}, '>', 0, 'lost messages are seen');
cmp_ok({ faults(2) }->{repeated}, '>', 0, 'repeated messages are seen');
cmp_ok({ faults(3) }->{unordered}, '>', 0, 'another order is seen');
cmp_ok({ faults(4) }->{astray}, '>', 0, 'messages of another room are seen');


# what the load generator says of a floor with this fault

sub faults {
    my ($fault) = @_;

    system($cc, '-std=c11', '-O2', "-DFLOOR_FAULT=$fault", '-o',
           "$dir/floor", "$bench/floor.c", '-lcrypto', '-pthread') == 0
        or die "the floor does not build";

    my $port = free_port();
    my $pid = fork();

    if ($pid == 0) {
        exec("$dir/floor", '-p', $port) or exit(1);
    }

    for (1 .. 100) {
        last if IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port");
        sleep(0.05);
    }

    my $group = 'name=room,rooms=4,members=10,publishers=3,rate=800';
    my $result = `$dir/load -p $port -s $pid -w 100 -t 300 -g $group`;

    kill 'TERM', $pid;
    waitpid($pid, 0);

    return map { $_ => $result =~ /"$_":(\d+)/ ? $1 : -1 }
           qw/ deliveries lost repeated astray unordered /;
}


sub free_port {
    my $socket = IO::Socket::INET->new(Listen => 1, ReuseAddr => 1,
                                       LocalAddr => '127.0.0.1')
        or die "no free port";

    return $socket->sockport();
}
