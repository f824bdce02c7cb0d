using System.Net;
using System.Text.RegularExpressions;

namespace UniFace.Cli.Reports;

/// <summary>Two images with their score and the decision.</summary>
internal sealed record ReportPair(RgbImage First, RgbImage Second, double Score, bool Same, bool Accepted);

/// <summary>Parts of a self-contained HTML page.</summary>
internal static partial class Html
{
    /// <summary>Replaces each {{name}}, {{property.property}} and {{property:format}} in a template with its value.</summary>
    /// <param name="template">The page.</param>
    /// <param name="markup">Values that are markup.</param>
    /// <param name="model">The object with the other values, which become text; null becomes "not measurable".</param>
    public static string Fill(string template, IReadOnlyDictionary<string, string> markup, object model) => Placeholder().Replace(template, match =>
    {
        string path = match.Groups[1].Value;
        if (markup.TryGetValue(path, out string? value))
        {
            return value;
        }

        object? found = path.Split('.').Aggregate((object?)model, (from, name) => from?.GetType().GetProperty(name)!.GetValue(from));
        return found is null ? "not measurable" : Text(string.Format(CultureInfo.InvariantCulture, $"{{0:{match.Groups[2].Value}}}", found));
    });

    /// <summary>A table; the first row is the header.</summary>
    public static string Table(IReadOnlyList<IReadOnlyList<string>> rows)
    {
        string body = string.Concat(rows.Skip(1).Select(row => Row("td", row)));
        return $"<div class=\"scroll\"><table><thead>{Row("th", rows[0])}</thead><tbody>{body}</tbody></table></div>";
    }

    /// <summary>Pairs of images with score and decision.</summary>
    public static string Pairs(IEnumerable<ReportPair> pairs) => $"<div class=\"pairs\">{string.Concat(pairs.Select(Pair))}</div>";

    /// <summary>An img element that contains a small image as JPEG.</summary>
    /// <param name="image">The image.</param>
    /// <param name="alt">What it shows, for screen readers.</param>
    public static string Image(RgbImage image, string alt)
    {
        string data = Convert.ToBase64String(ImageEncoder.Jpeg(image, 88));
        int largest = Math.Max(2 * image.Width, 240);
        return $"<img src=\"data:image/jpeg;base64,{data}\" width=\"{image.Width}\" height=\"{image.Height}\" " +
            $"style=\"max-width:{largest}px\" alt=\"{Text(alt)}\">";
    }

    private static string Pair(ReportPair pair)
    {
        string truth = pair.Same ? "same person" : "two people", decision = pair.Accepted ? "accepted" : "rejected";
        (string style, string verdict) = pair.Same == pair.Accepted ? ("ok", "right") : ("no", "wrong");
        return $"<div class=\"pair\"><div>{Image(pair.First, truth + ", first image")}{Image(pair.Second, truth + ", second image")}</div>" +
            $"<p>{truth}<br>score {pair.Score:F3}: <span class=\"{style}\">{decision}, {verdict}</span></p></div>";
    }

    private static string Row(string cell, IReadOnlyList<string> texts) => $"<tr>{string.Concat(texts.Select(t => $"<{cell}>{Text(t)}</{cell}>"))}</tr>";

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    [GeneratedRegex(@"\{\{([\w.]+):?(\w*)\}\}")]
    private static partial Regex Placeholder();
}
