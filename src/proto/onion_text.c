/* Addresses, keys and numbers of onion services, by their form only: whether an address or a key
 * exists is tor's to say.
 *
 * tor takes more than one spelling of most of them (control-protocol 6.1, 6.3: base64 without its
 * padding, numbers as strtol reads them). Here each has one, up to case. */
#include "onion_text.h"

#include "ascii.h"

#define CLIENT_KEY_LENGTH 52 /* 32 bytes */

static bool is_base32(struct span text, bool is_any_case)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool is_capital = c >= 'A' && c <= 'Z';
        if (!(c >= 'a' && c <= 'z') && !(c >= '2' && c <= '7') && !(is_capital && is_any_case))
            return false;
    }
    return true;
}

bool onion_text_is_address(struct span text, bool is_any_case)
{
    return text.len == ONION_ADDRESS_LENGTH && is_base32(text, is_any_case);
}

bool onion_text_is_client_key(struct span text)
{
    return text.len == CLIENT_KEY_LENGTH && is_base32(text, true);
}

bool onion_text_is_base64(struct span text, size_t bytes)
{
    size_t padding = (3 - bytes % 3) % 3;

    if (text.len != (bytes + 2) / 3 * 4)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool is_digit = ascii_is_alpha(c) || ascii_is_digit(c) || c == '+' || c == '/';
        if (i < text.len - padding ? !is_digit : c != '=')
            return false;
    }
    return true;
}

bool onion_text_to_number(struct span text, unsigned long max, unsigned long *number_out)
{
    if (text.len > 1 && text.data[0] == '0')
        return false;
    return span_to_number(text, max, number_out);
}

void onion_text_append_lower(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        buf_append_char(out, ascii_to_lower(text.data[i]));
}

void onion_text_append_upper(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        buf_append_char(out, ascii_to_upper(text.data[i]));
}
