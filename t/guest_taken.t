
# Tests for guests' names when the random numbers are few: nobody gets the name,
# and with it the inbox, of another one.  With six digits two of 5,000 guests
# had the same name more often than not.

use lib 't/lib';
use Test::Nginx::Chat;

use File::Temp ();

if ($ENV{ASAN_OPTIONS} || $ENV{VALGRIND_OPTIONS}) {
    Test::More::plan(skip_all => 'the checker stands where the numbers do');
}

# each number comes three times in each worker, and in each worker the same

my $Dir = File::Temp->newdir(CLEANUP => 1);

open(my $source, '>', "$Dir/few.c") or die "few.c: $!\n";
print $source <<'_EOC_';
int
RAND_bytes(unsigned char *buf, int num)
{
    static unsigned  n;

    for (int i = 0; i < num; i++) {
        buf[i] = (unsigned char) (n / 3);
    }

    n++;

    return 1;
}
_EOC_
close $source;

if (system(qw( cc -shared -fPIC -o ), "$Dir/few.so", "$Dir/few.c") != 0) {
    Test::More::plan(skip_all => 'there is no compiler');
}

$ENV{TEST_NGINX_LD_PRELOAD} = "$Dir/few.so";

default_config(<<'_EOC_');
    location /chat {
        chat  chat;
    }
_EOC_

play();


my %Names;


sub forget {
    my ($script) = @_;

    delete $script->{vars}{name};
}


sub remember {
    my ($script, $name) = @_;

    $Names{$name}++;
}


sub names {
    return scalar keys %Names;
}

__DATA__

=== TEST 1: six guests on two workers, six names
--- chat
g1 connect /chat
g1 < {"type":"welcome","guest":true,"user":"$name"}
perl remember $name
g2 connect /chat other=g1
perl forget
g2 < {"type":"welcome","guest":true,"user":"$name"}
perl remember $name
for n 3..6
g$n connect /chat
perl forget
g$n < {"type":"welcome","guest":true,"user":"$name"}
perl remember $name
end
ok main::names() == 6



=== TEST 2: what is for one is for nobody else
--- chat
a connect /chat
a < {"type":"welcome","user":"$a"}
b connect /chat same=a
b < {"type":"welcome","user":"$b"}
c connect /chat other=a
c < {"type":"welcome","user":"$c"}
a > {"type":"send","id":1,"to":"$c","text":"yours"}
a skip {"type":"ok","id":1}
c < {"type":"message","text":"yours","user":"$a","to":"$c"}
b nothing 200ms
