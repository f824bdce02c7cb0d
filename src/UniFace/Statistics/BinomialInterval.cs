namespace UniFace.Statistics;

/// <summary>The exact confidence interval of a proportion (Clopper and Pearson, 1934).</summary>
internal static class BinomialInterval
{
    /// <summary>
    /// Interval of the true rate after <paramref name="events"/> events in <paramref name="trials"/> independent trials.
    /// Its coverage is at least the confidence. Without events in n trials its upper end is about 3.7 / n at 95 % (two-sided).
    /// </summary>
    /// <param name="events">0 to <paramref name="trials"/>.</param>
    /// <param name="trials">At least 1.</param>
    /// <param name="confidence">In (0, 1).</param>
    public static ConfidenceInterval ClopperPearson(long events, long trials, double confidence = 0.95)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(trials, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(events);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(events, trials);
        if (!(confidence > 0 && confidence < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(confidence), confidence, "expected a number above 0 and below 1");
        }

        double tail = (1 - confidence) / 2;
        double low = events == 0 ? 0 : BetaQuantile(tail, events, trials - events + 1);
        double high = events == trials ? 1 : BetaQuantile(1 - tail, events + 1, trials - events);
        return new ConfidenceInterval(low, high);
    }

    private static double BetaQuantile(double probability, double a, double b)
    {
        double low = 0, high = 1;
        for (int i = 0; i < 200 && high - low > 1e-15 * high; i++)
        {
            double middle = (low + high) / 2;
            (low, high) = RegularizedBeta(middle, a, b) < probability ? (middle, high) : (low, middle);
        }

        return (low + high) / 2;
    }

    /// <summary>The regularized incomplete beta function I_x(a, b), by Lentz's continued fraction.</summary>
    internal static double RegularizedBeta(double x, double a, double b)
    {
        if (x <= 0 || x >= 1)
        {
            return x <= 0 ? 0 : 1;
        }

        double front = Math.Exp(LogGamma(a + b) - LogGamma(a) - LogGamma(b) + a * Math.Log(x) + b * Math.Log(1 - x));
        return x < (a + 1) / (a + b + 2)
            ? front * Fraction(x, a, b) / a
            : 1 - front * Fraction(1 - x, b, a) / b;
    }

    private static double Fraction(double x, double a, double b)
    {
        const double tiny = 1e-300;
        double c = 1;
        double d = Floor(1 - (a + b) * x / (a + 1));
        d = 1 / d;
        double result = d;
        for (int m = 1; m <= 100_000; m++)
        {
            double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 / Floor(1 + even * d);
            c = Floor(1 + even / c);
            result *= d * c;
            double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            d = 1 / Floor(1 + odd * d);
            c = Floor(1 + odd / c);
            double step = d * c;
            result *= step;
            if (Math.Abs(step - 1) < 1e-15)
            {
                break;
            }
        }

        return result;

        static double Floor(double value) => Math.Abs(value) < tiny ? tiny : value;
    }

    // Stirling's series after raising the argument to at least 10; relative error near 1e-15.
    private static double LogGamma(double x)
    {
        double shift = 0;
        while (x < 10)
        {
            shift -= Math.Log(x);
            x++;
        }

        double square = x * x;
        double series = 1 / (12 * x) * (1 - 1 / (30 * square) * (1 - 2 / (7 * square) * (1 - 3 / (4 * square) * (1 - 140 / (99 * square)))));
        return shift + (x - 0.5) * Math.Log(x) - x + 0.5 * Math.Log(2 * Math.PI) + series;
    }
}
