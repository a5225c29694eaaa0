
# Tests for chat_origins: which pages a browser may come from.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /chat {
        chat  chat;
    }

    location /any {
        chat          chat;
        chat_origins  any;
    }

    location /list {
        chat          chat;
        chat_origins  app.example.com *.example.org https://secure.example.net
                      odd.example.com:8443 ~^https://lab[0-9]+\.example\.com$;
    }

    location /both {
        chat          chat;
        chat_origins  same app.example.com;
    }
_EOC_

play();

__DATA__

=== TEST 1: by default a page of the host itself
--- chat
a connect /chat
a connect /chat | Host: example.com | Origin: http://example.com
a connect /chat | Host: example.com | Origin: https://example.com
a connect /chat | Host: example.com | Origin: HTTP://EXAMPLE.COM
a connect /chat | Host: EXAMPLE.com | Origin: http://example.COM
a connect /chat | Host: example.com:8080 | Origin: http://example.com:8080
a connect /chat | Host: example.com:80 | Origin: http://example.com
a connect /chat | Host: example.com:443 | Origin: https://example.com
a connect /chat | Host: example.com | Origin: http://example.com:80
a connect /chat | Host: example.com | Origin: https://example.com:443
a connect /chat | Host: [::1]:8080 | Origin: http://[::1]:8080



=== TEST 2: and no other one
--- chat
for origin http://example.com.evil.tld http://evil-example.com \
    http://evilexample.com http://example.co http://example.comx \
    http://example.com:81 http://sub.example.com http://com null \
    https://evil.tld http://example.com@evil.tld http://evil.tld/example.com \
    http://evil.tld?example.com http://evil.tld#example.com example.com \
    http:// http:example.com file:// //example.com http://example.com:80:80 \
    http://example.com%00.evil.tld http://xn--exmple-cua.com
a refused 403 /chat | Host: example.com | Origin: $origin
end
a refused 403 /chat | Host: example.com:8080 | Origin: http://example.com
a refused 403 /chat | Host: example.com:8080 | Origin: http://example.com:8081
a refused 403 /chat | Host: example.com:443 | Origin: http://example.com
a refused 403 /chat | Host: example.com | Origin:
a refused 403 /chat | Host: example.com | Origin: http://example.com http://evil.tld
a refused 403 /chat | Host: example.com | Origin: http://example.com | +Origin: http://evil.tld
a refused 403 /chat | Host: example.com | Origin: http://evil.tld | +Origin: http://example.com
access ~"GET /chat HTTP/1.1" 403



=== TEST 3: any
--- chat
a connect /any
a connect /any | Origin: http://evil.tld
a connect /any | Origin: null



=== TEST 4: a list: hosts
--- chat
a connect /list
a connect /list | Origin: https://app.example.com
a connect /list | Origin: http://app.example.com
a connect /list | Origin: https://APP.example.com
a connect /list | Origin: https://secure.example.net
a connect /list | Origin: https://odd.example.com:8443
a refused 403 /list | Origin: http://secure.example.net
a refused 403 /list | Origin: https://odd.example.com
a refused 403 /list | Origin: https://app.example.com.evil.tld
a refused 403 /list | Origin: https://evil-app.example.com
a refused 403 /list | Origin: https://x.app.example.com
a refused 403 /list | Origin: null
a refused 403 /list | Host: evil.tld | Origin: https://evil.tld



=== TEST 5: a list: a wildcard
--- chat
a connect /list | Origin: https://a.example.org
a connect /list | Origin: https://a.b.example.org
a refused 403 /list | Origin: https://example.org
a refused 403 /list | Origin: https://.example.org
a refused 403 /list | Origin: https://evilexample.org
a refused 403 /list | Origin: https://a.example.org.evil.tld
a refused 403 /list | Origin: https://a.example.organic



=== TEST 6: a list: a pattern
--- chat
a connect /list | Origin: https://lab1.example.com
a connect /list | Origin: https://lab42.example.com
a refused 403 /list | Origin: https://lab.example.com
a refused 403 /list | Origin: https://lab1.example.com.evil.tld
a refused 403 /list | Origin: http://lab1.example.com



=== TEST 7: the host itself besides a list
--- chat
a connect /both | Host: example.com | Origin: http://example.com
a connect /both | Host: example.com | Origin: http://app.example.com
a refused 403 /both | Host: example.com | Origin: http://evil.tld
