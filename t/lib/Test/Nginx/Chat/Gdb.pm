package Test::Nginx::Chat::Gdb;

# A debugger that holds a worker of nginx while a conversation goes on.

use strict;
use warnings;

use Exporter qw( import );
use IPC::Open3 qw( open3 );
use Test::More ();

our @EXPORT = qw( need_gdb gdb );


# to be called before the first block is played

sub need_gdb {

    if (system('gdb -batch -nx -ex "show version" >/dev/null 2>&1') != 0) {
        Test::More::plan(skip_all =>
                         'gdb stops a worker inside; it is not here');
    }

    if (!may_attach()) {
        Test::More::plan(skip_all =>
                         'gdb stops a worker inside; it may not do so here');
    }

    if ($ENV{ASAN_OPTIONS} || $ENV{VALGRIND_OPTIONS}) {
        Test::More::plan(skip_all => 'one debugger at a time');
    }
}


# where kernel.yama.ptrace_scope is 1, as on Ubuntu, root alone may do it to a
# process that is not its child

sub may_attach {
    my $pid = fork() // die "fork: $!\n";

    if ($pid == 0) {
        exec 'sleep', '600';
    }

    my $said = `gdb -batch -nx -p $pid 2>&1 </dev/null`;

    kill 'KILL', $pid;
    waitpid $pid, 0;

    return $said !~ /^ptrace: /m;
}


# attached to that process it follows the commands; its own process is returned

sub gdb {
    my ($pid, $log, @commands) = @_;

    open my $null, '+<', '/dev/null' or die "/dev/null: $!\n";
    open my $out, '>', $log or die "$log: $!\n";

    return open3('<&' . fileno $null, '>&' . fileno $out,
                 '>&' . fileno $out, 'gdb', '-batch', '-nx', '-p', $pid,
                 '-ex', 'handle SIGPIPE SIGALRM SIGIO nostop noprint',
                 map { ('-ex', $_) } @commands);
}

1;
