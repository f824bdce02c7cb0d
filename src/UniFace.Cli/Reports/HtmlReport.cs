using System.Net;
using System.Text;
using UniFace.Faces;
using UniFace.Vision;

namespace UniFace.Cli.Reports;

/// <summary>A chart or image with its heading and explanation.</summary>
/// <param name="Title">The heading.</param>
/// <param name="Markup">An SVG or an img element; not encoded.</param>
/// <param name="Explanation">Plain text.</param>
internal sealed record ReportFigure(string Title, string Markup, string Explanation);

/// <summary>Two images with their score and the decision.</summary>
internal sealed record ReportPair(RgbImage First, RgbImage Second, double Score, bool Same, bool Accepted);

/// <summary>A report as one self-contained HTML file without scripts, for small and large screens, in light and dark colors.</summary>
internal sealed class HtmlReport(string title, string lead)
{
    private readonly StringBuilder body = new();

    /// <summary>Adds a section heading.</summary>
    public HtmlReport Heading(string text) => Add($"<h2>{Text(text)}</h2>");

    /// <summary>Adds a paragraph.</summary>
    public HtmlReport Paragraph(string text) => Add($"<p>{Text(text)}</p>");

    /// <summary>Adds a highlighted paragraph.</summary>
    public HtmlReport Note(string text) => Add($"<p class=\"note\">{Text(text)}</p>");

    /// <summary>Adds a list of commands with explanations.</summary>
    public HtmlReport Commands(params (string Code, string Words)[] commands) =>
        Block("ul", "", commands.Select(c => $"<li><code>{Text(c.Code)}</code> {Text(c.Words)}</li>"));

    /// <summary>Adds the most important numbers, in large type.</summary>
    public HtmlReport Tiles(params (string Value, string Words)[] tiles) =>
        Block("div", "tiles", tiles.Select(t => $"<div class=\"tile\"><b>{Text(t.Value)}</b><span>{Text(t.Words)}</span></div>"));

    /// <summary>Adds charts and images, side by side if there is room.</summary>
    public HtmlReport Figures(params ReportFigure[] figures) =>
        Block("div", "grid", figures.Select(f => $"<figure><h3>{Text(f.Title)}</h3>{f.Markup}<figcaption>{Text(f.Explanation)}</figcaption></figure>"));

    /// <summary>Adds a table; the first row is the header.</summary>
    public HtmlReport Table(IReadOnlyList<IReadOnlyList<string>> rows) => Block(
        "div", "scroll", [$"<table><thead>{Row("th", rows[0])}</thead><tbody>", .. rows.Skip(1).Select(row => Row("td", row)), "</tbody></table>"]);

    /// <summary>Adds pairs of images with score and decision.</summary>
    public HtmlReport Pairs(IEnumerable<ReportPair> pairs) => Block("div", "pairs", pairs.Select(pair =>
    {
        string truth = pair.Same ? "same person" : "two people", decision = pair.Accepted ? "accepted" : "rejected";
        (string style, string verdict) = pair.Same == pair.Accepted ? ("ok", "right") : ("no", "wrong");
        return $"<div class=\"pair\"><div>{Image(pair.First, truth + ", first image")}{Image(pair.Second, truth + ", second image")}</div>" +
            $"<p>{truth}<br>score {pair.Score:F3}: <span class=\"{style}\">{decision}, {verdict}</span></p></div>";
    }));

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

    /// <summary>The whole page.</summary>
    public string ToHtml(string footer) =>
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">" +
        $"<title>{Text(title)}</title><style>{StyleSheet.Read("report.css")}</style></head>\n<body><main><h1>{Text(title)}</h1>" +
        $"<p class=\"lead\">{Text(lead)}</p>\n{body}<footer>{Text(footer)}</footer></main></body></html>\n";

    private HtmlReport Block(string element, string style, IEnumerable<string> parts) =>
        Add($"<{element}{(style.Length > 0 ? $" class=\"{style}\"" : "")}>{string.Concat(parts)}</{element}>");

    private HtmlReport Add(string markup)
    {
        body.Append(markup).Append('\n');
        return this;
    }

    private static string Row(string cell, IReadOnlyList<string> texts) => $"<tr>{string.Concat(texts.Select(t => $"<{cell}>{Text(t)}</{cell}>"))}</tr>";

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
