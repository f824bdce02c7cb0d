namespace UniFace.CommandLine.Terminal;

/// <summary>A progress bar of one line.</summary>
internal static class ProgressBar
{
    private const int Cells = 24;

    /// <summary>The operation, the bar, the percentage and the text, in at most a number of characters; the text is cut first.</summary>
    /// <param name="what">The operation.</param>
    /// <param name="fraction">The share that is done, 0 to 1.</param>
    /// <param name="text">What follows the bar: count, rate, time left.</param>
    /// <param name="width">The characters of the line.</param>
    /// <param name="unicode">False for a terminal that only shows ASCII.</param>
    public static string Format(string what, double fraction, string text, int width, bool unicode)
    {
        fraction = double.IsNaN(fraction) ? 0 : Math.Clamp(fraction, 0, 1);
        (char full, char half, char empty) = unicode ? ('━', '╸', ' ') : ('#', '>', '.');
        double done = fraction * Cells;
        int whole = (int)done;
        string bar = new string(full, whole) + (done - whole >= 0.5 ? half : "");
        string line = $"{what} {(unicode ? '▕' : '[')}{bar.PadRight(Cells, empty)}{(unicode ? '▏' : ']')} {100 * fraction,3:F0} %  {text}";
        return line[..Math.Min(line.Length, Math.Max(width, 0))];
    }
}
