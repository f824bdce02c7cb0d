using System.Net;
using System.Text;
using UniFace.Faces;
using UniFace.Vision.Imaging;

namespace UniFace.Cli.Reports;

/// <summary>A chart or picture with its title and what to see in it, in plain words.</summary>
/// <param name="Title">Its heading.</param>
/// <param name="Markup">SVG or an img element, from this project's own writers.</param>
/// <param name="Explanation">What it shows; plain text.</param>
internal sealed record ReportFigure(string Title, string Markup, string Explanation);

/// <summary>Two pictures, their score and what was decided.</summary>
internal sealed record ReportPair(RgbImage First, RgbImage Second, double Score, bool Same, bool Accepted);

/// <summary>
/// A report as one HTML file that needs nothing else: pictures and charts are inside, no scripts, no network.
/// Readable on a phone and on a desk, by day and by night.
/// </summary>
internal sealed class HtmlReport(string title, string lead)
{
    private const string Style =
        ":root{color-scheme:light dark;--bg:#fbfcfd;--card:#fff;--ink:#1f2328;--soft:#57606a;--line:#d8dee4;--accent:#0b62c4;--good:#1a7f4b;--bad:#c4480b;--note:#fff6dd;--noteline:#d4a72c}" +
        "@media(prefers-color-scheme:dark){:root{--bg:#0f1318;--card:#171c23;--ink:#e4e9ef;--soft:#9aa4af;--line:#2f3640;--accent:#6cb2ff;--good:#5fd39a;--bad:#ff9b5e;--note:#2a2410;--noteline:#8a6d1c}}" +
        "*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}" +
        "main{max-width:1080px;margin:0 auto;padding:24px 16px 64px}h1{font-size:clamp(1.6rem,4vw,2.3rem);line-height:1.2;margin:.4em 0}h2{font-size:1.35rem;margin:2.2em 0 .4em;padding-top:.6em;border-top:1px solid var(--line)}h3{font-size:1.02rem;margin:0 0 .4em}p{max-width:70ch}" +
        ".lead{color:var(--soft);font-size:1.1rem}.note{background:var(--note);border-left:4px solid var(--noteline);padding:12px 16px;border-radius:6px;max-width:none}" +
        ".grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:16px}.grid>figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px;min-width:0}figure svg,figure img{width:100%;height:auto;display:block;border-radius:4px}figcaption{color:var(--soft);font-size:.92rem;margin-top:.6em}" +
        ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:18px 0}.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px}.tile b{display:block;font-size:1.3rem;line-height:1.25;overflow-wrap:anywhere}.tile span{color:var(--soft);font-size:.88rem}" +
        ".pairs{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:12px}.pair{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:8px;font-size:.85rem}.pair div{display:flex;gap:4px}.pair img{width:calc(50% - 2px);height:auto;border-radius:4px}.pair p{margin:.4em 0 0}.ok{color:var(--good);font-weight:600}.no{color:var(--bad);font-weight:600}" +
        ".scroll{overflow-x:auto}table{border-collapse:collapse;min-width:100%;font-variant-numeric:tabular-nums}th,td{text-align:left;padding:7px 12px;border-bottom:1px solid var(--line)}th{color:var(--soft);font-weight:600}code{background:var(--card);border:1px solid var(--line);border-radius:4px;padding:1px 5px;font-size:.9em;overflow-wrap:anywhere}ul{padding-left:1.2em}footer{color:var(--soft);font-size:.88rem;margin-top:3em;border-top:1px solid var(--line);padding-top:1em}";

    private readonly StringBuilder body = new();

    /// <summary>A chapter's heading.</summary>
    public HtmlReport Heading(string text) => Add($"<h2>{Text(text)}</h2>");

    /// <summary>A paragraph.</summary>
    public HtmlReport Paragraph(string text) => Add($"<p>{Text(text)}</p>");

    /// <summary>A paragraph that must not be missed.</summary>
    public HtmlReport Note(string text) => Add($"<p class=\"note\">{Text(text)}</p>");

    /// <summary>Commands or other code, a line each, with what they do.</summary>
    public HtmlReport Commands(params ReadOnlySpan<(string Code, string Words)> commands)
    {
        body.Append("<ul>");
        foreach ((string code, string words) in commands)
        {
            body.Append($"<li><code>{Text(code)}</code> {Text(words)}</li>");
        }

        return Add("</ul>");
    }

    /// <summary>The numbers that matter most, large.</summary>
    public HtmlReport Tiles(params ReadOnlySpan<(string Value, string Words)> tiles)
    {
        body.Append("<div class=\"tiles\">");
        foreach ((string value, string words) in tiles)
        {
            body.Append($"<div class=\"tile\"><b>{Text(value)}</b><span>{Text(words)}</span></div>");
        }

        return Add("</div>");
    }

    /// <summary>Charts and pictures side by side where there is room.</summary>
    public HtmlReport Figures(params ReadOnlySpan<ReportFigure> figures)
    {
        body.Append("<div class=\"grid\">");
        foreach (ReportFigure figure in figures)
        {
            body.Append($"<figure><h3>{Text(figure.Title)}</h3>{figure.Markup}<figcaption>{Text(figure.Explanation)}</figcaption></figure>");
        }

        return Add("</div>");
    }

    /// <summary>A table; the first row is the head.</summary>
    public HtmlReport Table(IReadOnlyList<IReadOnlyList<string>> rows)
    {
        body.Append("<div class=\"scroll\"><table>");
        for (int i = 0; i < rows.Count; i++)
        {
            string cell = i == 0 ? "th" : "td";
            body.Append(i == 0 ? "<thead><tr>" : "<tr>").AppendJoin("", rows[i].Select(c => $"<{cell}>{Text(c)}</{cell}>")).Append(i == 0 ? "</tr></thead><tbody>" : "</tr>");
        }

        return Add("</tbody></table></div>");
    }

    /// <summary>Pairs of pictures with score and decision.</summary>
    public HtmlReport Pairs(IReadOnlyList<ReportPair> pairs)
    {
        body.Append("<div class=\"pairs\">");
        foreach (ReportPair pair in pairs)
        {
            string truth = pair.Same ? "same person" : "two people", decision = pair.Accepted ? "accepted" : "rejected";
            bool right = pair.Same == pair.Accepted;
            string score = FormattableString.Invariant($"{pair.Score:F3}");
            body.Append($"<div class=\"pair\"><div>{Image(pair.First, truth + ", first picture")}{Image(pair.Second, truth + ", second picture")}</div><p>{truth}<br>score {score}: <span class=\"{(right ? "ok" : "no")}\">{decision}, {(right ? "right" : "wrong")}</span></p></div>");
        }

        return Add("</div>");
    }

    /// <summary>A picture inside the page.</summary>
    /// <param name="image">The picture; small, it goes in as JPEG.</param>
    /// <param name="alt">What it shows, for those who cannot see it.</param>
    public static string Image(RgbImage image, string alt) =>
        $"<img src=\"data:image/jpeg;base64,{Convert.ToBase64String(ImageEncoder.Jpeg(image, 88))}\" width=\"{image.Width}\" height=\"{image.Height}\" style=\"max-width:{Math.Max(2 * image.Width, 240)}px\" alt=\"{Text(alt)}\">";

    /// <summary>The whole page.</summary>
    /// <param name="footer">What made it.</param>
    public string ToHtml(string footer) =>
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">" +
        $"<title>{Text(title)}</title><style>{Style}</style></head>\n<body><main><h1>{Text(title)}</h1><p class=\"lead\">{Text(lead)}</p>\n{body}<footer>{Text(footer)}</footer></main></body></html>\n";

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private HtmlReport Add(string markup)
    {
        body.Append(markup).Append('\n');
        return this;
    }
}
