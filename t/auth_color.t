
# Tests for the color of who chose none: a user's is the same for ever, and
# all of them can be read on a light and on a dark page.

use lib 't/lib';
use Test::Nginx::Chat;

play();


my %Seen;


# a variable of the conversation, to be taken from the next message

sub forget {
    my ($script, $name) = @_;

    delete $script->{vars}{$name};
}


# of WCAG 2

sub contrast {
    my ($one, $other) = sort { $b <=> $a } map { luminance($_) } @_;

    return ($one + 0.05) / ($other + 0.05);
}


sub luminance {
    my @linear = map { $_ /= 255;
                       $_ <= 0.04045 ? $_ / 12.92
                                     : (($_ + 0.055) / 1.055) ** 2.4 }
                 map { hex } $_[0] =~ /^#(..)(..)(..)$/;

    return 0.2126 * $linear[0] + 0.7152 * $linear[1] + 0.0722 * $linear[2];
}


sub count {
    my ($script, $color) = @_;

    $Seen{$color}++;
}


sub hues {
    return scalar keys %Seen;
}

__DATA__

=== TEST 1: the same in each version
--- chat
a connect /chat?user=alice
a < {"type":"welcome","color":"#5a5ee8"}
a connect /chat?user=bob
a < {"type":"welcome","color":"#b436e2"}
a connect /chat?user=carol
a < {"type":"welcome","color":"#d53a34"}



=== TEST 2: readable on white and on black, and of many hues
--- chat
for user 1..120
perl forget color
a connect /chat?user=user$user
a < {"type":"welcome","color":"$color"}
ok main::contrast($color, '#ffffff') > 4.4
ok main::contrast($color, '#1c1c1e') > 3.3
perl count $color
a drop
end
ok main::hues() > 80



=== TEST 3: one's own
--- config
    location /chat {
        chat chat; chat_user $arg_user; chat_user_color $http_x_color;
        chat_user_name $http_x_name;
    }
--- chat
for color #000000 #ABCDEF #12fe9c
a connect /chat?user=u | X-Color: "$color"
a < {"type":"welcome","color":"$color"}
end
a connect /chat?user=u
a < {"type":"welcome","color":"$derived"}
for color 000000 #00000 #0000000 #00000g "\"" #0000\xff #@12345 #:12345 #`12345
a connect /chat?user=u | X-Color: "$color"
a < {"type":"welcome","color":"$derived"}
end



=== TEST 4: a name that cannot be one is the user's
--- config
    location /chat { chat chat; chat_user $arg_user; chat_user_name $http_x_name; }
--- chat
a connect /chat?user=u | X-Name: "Zo\xc3\xab"
a < {"type":"welcome","name":"Zo\u00eb"}
set long = 'n' x 64
a connect /chat?user=u | X-Name: $long
a < {"type":"welcome","name":"$long"}
a connect /chat?user=u | X-Name: n$long
a < {"type":"welcome","name":"u"}
a connect /chat?user=u | X-Name: "a\xff"
a < {"type":"welcome","name":"u"}
