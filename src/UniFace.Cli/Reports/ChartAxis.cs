namespace UniFace.Cli.Reports;

/// <summary>How values are mapped to an axis.</summary>
internal enum AxisScale
{
    /// <summary>Linear.</summary>
    Linear,

    /// <summary>Logarithmic.</summary>
    Log,

    /// <summary>Normal deviates of rates in (0, 1), as on the axes of a DET plot.</summary>
    NormalDeviate,
}

/// <summary>An axis of a chart.</summary>
/// <param name="Label">The label, with the unit.</param>
/// <param name="Scale">The scale.</param>
internal sealed record ChartAxis(string Label, AxisScale Scale = AxisScale.Linear)
{
    private static readonly double[] Rates = [0.0001, 0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999, 0.9999];

    /// <summary>The lower end; null to fit the data.</summary>
    public double? Min { get; init; }

    /// <summary>The upper end; null to fit the data.</summary>
    public double? Max { get; init; }

    /// <summary>Whether ticks are shown as percentages.</summary>
    public bool Percent { get; init; }

    /// <summary>A value's place on the scale; NaN if the scale cannot show it.</summary>
    public double Place(double value) => Scale switch
    {
        AxisScale.Log => value > 0 ? Math.Log10(value) : double.NaN,
        AxisScale.NormalDeviate => value is > 0 and < 1 ? DetCurve.Probit(value) : double.NaN,
        _ => value,
    };

    /// <summary>The range of places that shows all values. It is finite and not empty for any values.</summary>
    public (double Low, double High) Range(IEnumerable<double> values)
    {
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        foreach (double value in values)
        {
            double place = Place(value);
            if (double.IsFinite(place))
            {
                low = Math.Min(low, place);
                high = Math.Max(high, place);
            }
        }

        low = Min is double min ? Place(min) : double.IsFinite(low) ? low : 0;
        high = Max is double max ? Place(max) : double.IsFinite(high) ? high : low + 1;
        double width = high - low;
        if (!(width > 1e-12 * Math.Max(1, Math.Abs(low))))
        {
            double pad = Scale == AxisScale.Linear ? Math.Max(0.5 * Math.Abs(low), 0.5) : 0.5;
            return (low - pad, low + pad);
        }

        double room = Scale == AxisScale.Linear ? 0.04 * width : 0;
        return (Min is null ? low - room : low, Max is null ? high + room : high);
    }

    /// <summary>The ticks in a range of places.</summary>
    public IReadOnlyList<(double Place, string Text)> Ticks(double low, double high) => Scale switch
    {
        AxisScale.Log => LogTicks(low, high),
        AxisScale.NormalDeviate => [.. Rates.Select(r => (Place(r), Text(r))).Where(t => t.Item1 >= low - 1e-9 && t.Item1 <= high + 1e-9)],
        _ => LinearTicks(low, high),
    };

    private List<(double Place, string Text)> LinearTicks(double low, double high)
    {
        double rough = (high - low) / 5, power = Math.Pow(10, Math.Floor(Math.Log10(rough))), part = rough / power;
        double step = power * (part < 1.5 ? 1 : part < 3.5 ? 2 : part < 7.5 ? 5 : 10);
        List<(double, string)> ticks = [];
        for (double i = Math.Ceiling((low / step) - 1e-9); i * step <= high + (1e-9 * step) && ticks.Count < 20; i++)
        {
            ticks.Add((i * step, Text(i == 0 ? 0 : i * step)));
        }

        return ticks;
    }

    private List<(double Place, string Text)> LogTicks(double low, double high)
    {
        double[] parts = high - low > 2.2 ? [1] : [1, 2, 5];
        List<(double, string)> ticks = [];
        for (int decade = (int)Math.Floor(low); decade <= Math.Ceiling(high) && ticks.Count < 20; decade++)
        {
            foreach (double part in parts)
            {
                double place = decade + Math.Log10(part);
                if (place >= low - 1e-9 && place <= high + 1e-9)
                {
                    ticks.Add((place, Text(part * Math.Pow(10, decade))));
                }
            }
        }

        return ticks;
    }

    private string Text(double value)
    {
        string number = $"{(Percent ? value * 100 : value):0.######}";
        if (number == "0" && value != 0)
        {
            number = $"{value:0.#e0}";
        }

        return Percent ? number + "%" : number;
    }
}
