
# Tests for nginx as one process, and as a master with one worker.

use lib 't/lib';
use Test::Nginx::Chat;

workers(1);
master_off();

play();

__DATA__

=== TEST 1: a conversation in a single process
--- chat
a connect /chat?user=alice
b connect /chat?user=bob
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
for i 1..20
a > {"type":"send","room":"lobby","text":"a$i"}
b > {"type":"send","room":"lobby","text":"b$i"}
end
a seqs 1..40
b seqs 1..40
