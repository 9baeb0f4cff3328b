/* The printf family: every conversion with flags, widths and precisions, floats to the last digit. */
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

static int through(char *to, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int result = vsnprintf(to, size, format, args);
    va_end(args);
    return result;
}

int main(void)
{
    static const double values[] = {0.0, -0.0, 1.0, -1.5, 0.1, 1e100, 123456789.125, 5e-324, 2.2250738585072014e-308,
                                    1.7976931348623157e308, 0.5, 2.5, 9.9999995, 999999.5, 1e-5, 0.0001, 3.14159265358979};
    volatile double zero = 0;
    char text[64];
    printf("[%d] [%5d] [%-5d] [%05d] [%+d] [% d] [%.3d] [%8.3d] [%-8.3d|]\n", 42, 42, 42, 42, 42, 42, 42, 42, 42);
    printf("[%d] [%i] [%u] [%o] [%x] [%X] [%#o] [%#x] [%#X]\n", INT_MIN, INT_MAX, UINT_MAX, 8u, 255u, 255u, 8u, 255u, 255u);
    printf("[%hhd] [%hd] [%lld] [%llu] [%llx]\n", (signed char)-1, (short)-2, LLONG_MIN, ULLONG_MAX, 0x123456789abcdefULL);
    printf("[%jd] [%zu] [%td] [%" PRId64 "] [%" PRIx32 "]\n", (intmax_t)-9, (size_t)7, (ptrdiff_t)-3, INT64_MIN, (uint32_t)0xbeef);
    printf("[%.0d] [%.0x] [%#.0o] [%+.0d] [%#x]\n", 0, 0u, 0u, 0, 0u);
    printf("[%*d] [%-*d] [%.*d] [%*.*d]\n", 6, 1, 6, 2, 3, 3, 7, 4, 4);
    printf("[%*d] [%.*d]\n", -6, 1, -1, 2);
    printf("[%c] [%3c] [%-3c] [%s] [%10s] [%-10s] [%.2s] [%10.3s]\n", 'a', 'b', 'c', "text", "right", "left", "cut", "abcdef");
    printf("[%%] [%5%]\n");
    printf("[%s] [%.3s]\n", (char *)NULL ? "" : "null", "abc");
    printf("[%2$s %1$s] [%1$s]\n", "world", "hello");
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        double v = values[i];
        printf("%f %e %g %a\n", v, v, v, v);
        printf("%.0f %.0e %.0g %#.0f %#.0e %#.9g\n", v, v, v, v, v, v);
        printf("%.17g %.3f %+.1e %012.4g [%-14.6G] [% E]\n", v, v, v, v, v, v);
    }
    printf("%.40f\n%.60e\n%.30g\n", 0.1, 1.0 / 3, 1e23);
    printf("%f %F %e %g %5.1f [%-6f] [%06f] [%+f]\n", 1 / zero, 1 / zero, -1 / zero, zero / zero * -1 > 0 ? 0 : 1 / zero, 1 / zero, 1 / zero, -1 / zero, 1 / zero);
    printf("%s %s\n", isnan(zero / zero) ? "nan" : "?", signbit(-zero) ? "negative" : "positive");
    printf("%a %.2a %A %.0a %a %a\n", 1.0, 1.999, 255.5, 1.5, 0x1p-1074, 0x1.fffffffffffffp1023);
    printf("%.1f %.1f %.1f %.1f %.0f %.0f %.0f\n", 0.25, 0.35, 0.45, 0.05, 0.5, 1.5, 2.5);
    printf("%'d\n", 1234567);
    printf("%lc%ls\n", (wint_t)L'w', L"ide");
    int so_far = -1;
    printf("counted%n\n", &so_far);
    printf("%d\n", so_far);
    printf("%d\n", snprintf(text, 5, "%s", "longer than five"));
    printf("%s\n", text);
    printf("%d\n", snprintf(NULL, 0, "%d %s", 12345, "measured"));
    printf("%d %s\n", through(text, sizeof text, "%c%05.1f%%", 'x', 99.95), text);
    printf("%d\n", sprintf(text, "%08.3f|%-8d|%8s|", -3.14159, 7, "r"));
    puts(text);
    dprintf(1, "");
    printf("%s%s%s\n", "a", "", "b");
    return printf("%300s\n", "wide") == 301 ? 0 : 1;
}
