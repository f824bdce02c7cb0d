namespace UniFace.Synthetic;

/// <summary>The hair: what hangs behind the head, and what lies over the skull and forehead.</summary>
internal sealed class HairPainter(FacePen pen, FaceIdentity person, FaceScene scene)
{
    private readonly HeadView view = pen.View;
    private readonly SKColor color = FacePalette.Hair(person);

    private float Volume => person.HairVolume;

    private bool IsLong => person.Hair is HairStyle.Bob or HairStyle.Straight or HairStyle.Waves;

    private SKColor Dark => color.Mix(SKColors.Black, 0.38f);

    private SKColor Light => color.Mix(0xFFFFE8C8, 0.30f);

    /// <summary>Hair behind neck and ears.</summary>
    public void Back()
    {
        float side = person.CheekWidth + 0.05f + (0.6f * Volume), top = person.SkullHeight + (0.5f * Volume);
        switch (person.Hair)
        {
            case HairStyle.Bun:
                pen.Disc(new HeadPoint(0.3f * person.HairPart, -top - 0.16f, -0.4f), 0.30f + (0.5f * Volume), Dark);
                pen.Disc(new HeadPoint((0.3f * person.HairPart) - 0.03f, -top - 0.20f, -0.4f), 0.22f + (0.4f * Volume), color);
                break;
            case HairStyle.Curls:
                Curls(-0.2f, Dark, 17);
                break;
            case HairStyle.Bob or HairStyle.Straight or HairStyle.Waves:
                float end = person.Hair == HairStyle.Bob ? 1.25f + (0.5f * Volume) : 2.3f;
                float wave = person.Hair == HairStyle.Waves ? 0.09f : 0;
                pen.Fill(
                    pen.Symmetric(
                        lead: 0,
                        new(0, -top, -0.3f), new(0.75f * side, -0.75f * top, -0.3f), new(side, -0.1f, -0.35f), new(side + 0.05f + wave, 0.5f, -0.35f),
                        new(side + 0.05f - wave, 1.0f, -0.35f), new(side + 0.02f + wave, end - 0.25f, -0.3f), new(0.75f * side, end, -0.3f)),
                    Dark);
                break;
            default:
                break;
        }
    }

    /// <summary>Hair over skull and forehead.</summary>
    public void Front(SKPath outline)
    {
        if (person.Hair == HairStyle.Shaved)
        {
            pen.Inside(outline, () => pen.Fill(pen.Closed(Cap(0.02f)), color.Fade(0.30f)));
            return;
        }

        if (IsLong)
        {
            pen.Fill(pen.Closed(Cap(0.7f * Volume)), color.Mix(Dark, 0.3f));
            Curtain(person.HairPart > 0 ? -1 : 1, true);
            Curtain(person.HairPart > 0 ? 1 : -1, false);
            return;
        }

        if (person.Hair == HairStyle.Curls)
        {
            pen.Fill(pen.Closed(Cap(0.10f + (0.5f * Volume))), color);
            Curls(0, color, 17);
            Curls(0, Light.Fade(0.45f), 11);
            return;
        }

        SKPath hair = pen.Closed(Cap(Volume * (person.Hair is HairStyle.Crop or HairStyle.Bun ? 0.45f : 0.8f)));
        Finish(hair);
    }

    /// <summary>The cap from sideburn to sideburn: over the top outside, back along the hairline.</summary>
    private HeadPoint[] Cap(float stand)
    {
        float temple = person.TempleWidth + stand, top = person.SkullHeight + stand, cheek = person.CheekWidth;
        float part = person.HairPart, lift = person.Hair == HairStyle.Quiff ? 0.10f + (0.5f * Volume) : 0;
        float burn = person.Hair is HairStyle.Bun or HairStyle.Shaved ? -0.15f : 0.12f;
        return
        [
            new(-cheek - (0.4f * stand), burn), new(-temple - 0.02f, -0.42f * top), new(-0.80f * temple, -0.76f * top),
            new(-0.42f * temple, (-0.97f * top) - (0.7f * lift)), new(0.1f * part, -top - lift), new(0.42f * temple, (-0.97f * top) - (0.7f * lift)),
            new(0.80f * temple, -0.76f * top), new(temple + 0.02f, -0.42f * top), new(cheek + (0.4f * stand), burn),
            view.Skin(cheek - 0.05f, burn - 0.12f), .. Hairline(), view.Skin(-cheek + 0.05f, burn - 0.12f),
        ];
    }

    /// <summary>The hairline over the forehead, from the right to the left temple.</summary>
    private HeadPoint[] Hairline()
    {
        float temple = person.TempleWidth, line = person.HairLine, part = person.HairPart;
        switch (person.Hair)
        {
            case HairStyle.Fringe:
                return
                [
                    view.Skin(0.80f * temple, -0.30f), view.Skin(0.55f, -0.36f + (0.08f * part)), view.Skin(0.28f, -0.42f), view.Skin(0.02f, -0.37f),
                    view.Skin(-0.26f, -0.43f), view.Skin(-0.55f, -0.36f - (0.08f * part)), view.Skin(-0.80f * temple, -0.30f),
                ];
            case HairStyle.SidePart:
                float s = part >= 0 ? 1 : -1;
                HeadPoint[] across =
                [
                    view.Skin(s * 0.78f * temple, -0.52f), view.Skin(s * 0.66f, -0.80f * line),
                    view.Skin(s * (0.25f + (0.25f * Math.Abs(part))), -line - 0.02f, 0.03f), view.Skin(-s * 0.15f, -0.86f * line, 0.06f),
                    view.Skin(-s * 0.52f, -0.70f * line, 0.05f), view.Skin(-s * 0.80f * temple, -0.42f),
                ];
                return s < 0 ? [.. across.Reverse()] : across;
            default:
                float widow = person.Hair == HairStyle.Quiff ? 0.05f : -0.02f;
                return
                [
                    view.Skin(0.80f * temple, -0.46f), view.Skin(0.66f, -0.80f * line), view.Skin(0.34f, -line - 0.02f), view.Skin(0.1f * part, -line + widow),
                    view.Skin(-0.34f, -line - 0.02f), view.Skin(-0.66f, -0.80f * line), view.Skin(-0.80f * temple, -0.46f),
                ];
        }
    }

    /// <summary>Long hair falling at one side of the face from the parting.</summary>
    private void Curtain(float side, bool wide)
    {
        float temple = person.TempleWidth + (0.7f * Volume), top = person.SkullHeight + (0.7f * Volume);
        float cheek = person.CheekWidth, part = 0.7f * person.HairPart;
        float end = person.Hair == HairStyle.Bob ? 1.2f + (0.5f * Volume) : 2.2f, wave = person.Hair == HairStyle.Waves ? 0.07f : 0;
        float inset = 0.03f + (0.10f * (0.26f - Volume)) + (wide ? 0.05f : 0);
        SKPath hair = pen.Closed(
            new(part, -top), new((0.45f * part) + (side * 0.5f * temple), -0.93f * top), new(side * 0.9f * temple, -0.62f * top),
            new(side * (temple + 0.04f), -0.2f), new(side * (cheek + 0.06f + (0.5f * Volume) + wave), 0.45f, -0.1f),
            new(side * (cheek + 0.05f + (0.4f * Volume) - wave), 0.95f, -0.1f), new(side * (cheek - 0.05f + wave), end, -0.1f),
            new(side * (cheek - 0.16f), end - 0.08f), new(side * (cheek - 0.04f - inset - wave), 0.95f, 0.05f),
            new(side * (cheek - inset + (0.5f * wave)), 0.4f, 0.1f), view.Skin(side * (person.TempleWidth - 0.06f - inset), -0.22f, 0.03f),
            view.Skin(side * (0.66f - (wide ? 0.06f : 0)), -0.72f * person.HairLine, 0.04f),
            view.Skin((0.6f * part) + (side * 0.16f), -person.HairLine, 0.04f), view.Skin(part, -person.HairLine - 0.12f, 0.03f));
        Finish(hair);
    }

    /// <summary>Color, light from above and strands.</summary>
    private void Finish(SKPath hair)
    {
        SKPoint high = view.Project(new(0.2f * MathF.Cos(scene.LightAngle), -person.SkullHeight - 0.1f)), low = view.Project(new(0, 0.6f));
        pen.FillLinear(hair, high, low, color.Mix(Light, 0.35f), color.Mix(Dark, 0.7f));
        pen.Inside(hair, () =>
        {
            FaceRandom r = new(FaceStream.Strands, person.Grain);
            float part = 0.7f * person.HairPart;
            for (int i = 0; i < 14; i++)
            {
                float side = r.Chance(0.5f) ? 1 : -1, out1 = r.Range(0.15f, 1), jitter = r.Around(0.06f);
                SKColor strand = r.Chance(0.5f) ? Light.Fade(0.30f) : Dark.Fade(0.45f);
                pen.Stroke(
                    pen.Open(
                        new(part + (side * 0.1f * out1), -person.SkullHeight - Volume, 0.1f),
                        new(part + (side * (0.62f * out1)) + jitter, -0.86f * person.SkullHeight, 0.3f),
                        new((0.4f * part) + (side * ((0.98f * out1) + jitter)), -0.42f * person.SkullHeight, 0.2f),
                        new(side * (0.2f + (0.88f * out1) + jitter), 0.4f), new(side * (0.2f + (0.85f * out1)), 1.9f, -0.1f)),
                    strand, r.Range(0.015f, 0.045f));
            }
        });
    }

    /// <summary>Curls along the skull: discs behind and on it, and small arcs of light where the color lets the shape through.</summary>
    private void Curls(float depth, SKColor fill, int count)
    {
        FaceRandom r = new(FaceStream.Curls, person.Grain, count, (long)(depth * 10));
        float size = 0.17f + (0.5f * Volume);
        bool light = fill.Alpha < 255, behind = depth < 0;
        for (int i = 0; i < count; i++)
        {
            float wide = behind ? 1.28f : 1.12f;
            float angle = MathF.PI * (0.5f + (wide * (((i + r.Around(0.3f)) / (count - 1)) - 0.5f)));
            float reach = light ? r.Range(0.80f, 0.98f + Volume) : behind ? 1 + Volume : 0.95f + (0.6f * Volume) + r.Around(0.05f);
            HeadPoint center = new(MathF.Cos(angle) * person.TempleWidth * (reach + 0.02f), (-MathF.Sin(angle) * person.SkullHeight * reach) - 0.02f, depth);
            float radius = size * r.Range(0.8f, 1.15f);
            if (light)
            {
                float half = 0.42f * radius;
                HeadPoint left = center with { X = center.X - half }, top = center with { Y = center.Y - half }, right = center with { X = center.X + half };
                pen.Stroke(pen.Open(left, top, right), fill, 0.03f);
            }
            else
            {
                pen.Disc(center, radius, fill);
            }
        }
    }
}
