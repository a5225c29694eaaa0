
/*
 * The tokens and keys of RFC 7515, 7519 and 8037.
 */


#ifndef _CHAT_JWT_VECTORS_H_INCLUDED_
#define _CHAT_JWT_VECTORS_H_INCLUDED_


/* RFC 7515 A.1, which is RFC 7519 3.1 */

#define A1_CLAIMS  "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6" \
                   "Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define A1_TOKEN   "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." A1_CLAIMS      \
                   ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define A1_KEY     "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMk" \
                   "oqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow" \
                   "\"}"

#define A2_N       "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPdd" \
                   "xHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgN" \
                   "MsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kp" \
                   "aSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xs" \
                   "mtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNm" \
                   "oudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define A2_TOKEN   "eyJhbGciOiJSUzI1NiJ9." A1_CLAIMS                          \
                   ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XO" \
                   "iZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7" \
                   "t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBAr" \
                   "LIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12" \
                   "jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEU" \
                   "ipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUP" \
                   "QGe77Rw"
#define A2_KEY     "{\"kty\":\"RSA\",\"n\":\"" A2_N "\",\"e\":\"AQAB\"}"

#define A3_TOKEN   "eyJhbGciOiJFUzI1NiJ9." A1_CLAIMS                          \
                   ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5dj" \
                   "xLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define A3_X       "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define A3_Y       "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define A3_KEY     "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" A3_X          \
                   "\",\"y\":\"" A3_Y "\"}"

#define A4_INPUT   "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA"
#define A4_SIG     "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWR" \
                   "Oc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPE" \
                   "X3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLz" \
                   "eO_Jn"
#define A4_KEY     "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AekpBQ8ST8a8Vcf" \
                   "VOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9" \
                   "tsz4qUxcWceqwQGk\",\"y\":\"ADSmRA43Z1DSNx_RvcLI87cdL07l6j" \
                   "QyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj" \
                   "2\"}"

/* RFC 7515 A.5, which is RFC 7519 6.1 */

#define A5_TOKEN   "eyJhbGciOiJub25lIn0." A1_CLAIMS "."

/* RFC 8037 A */

#define ED_X       "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define ED_KEY     "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\"}"
#define ED_INPUT   "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
#define ED_SIG     "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4i" \
                   "ylGjg5BhVsPt9g7sVvpAr_MuM0KAg"


#endif /* _CHAT_JWT_VECTORS_H_INCLUDED_ */
