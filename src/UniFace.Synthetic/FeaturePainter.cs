namespace UniFace.Synthetic;

/// <summary>Eyes, brows, nose.</summary>
internal sealed class FeaturePainter(FacePen pen, FaceIdentity person, FaceScene scene)
{
    private readonly HeadView view = pen.View;
    private readonly SKColor skin = FacePalette.Skin(person);

    public void Eyes()
    {
        Eye(-1);
        Eye(1);
    }

    public void Brows()
    {
        SKColor hair = FacePalette.Hair(person).Mix(0xFF2A1C14, 0.45f);
        foreach (float side in HeadView.Sides)
        {
            float raise = 0.07f * scene.BrowRaise, frown = Math.Max(0, -scene.BrowRaise) * 0.05f;
            float y = -person.BrowHeight - raise, thick = person.BrowThickness, length = person.BrowLength;
            float center = person.EyeSpacing - 0.01f;
            HeadPoint At(float t, float lift)
            {
                // t: -1 inner end .. 1 outer end
                float arch = person.BrowArch * (1 - ((t - 0.25f) * (t - 0.25f)));
                return view.Skin(side * (center + (length * t)), y - arch - (person.BrowTilt * 0.5f * t) + (frown * (1 - t) * 0.5f) - lift, 0.04f);
            }

            pen.Fill(
                pen.Closed(
                    At(-1, 0.35f * thick), At(-0.5f, 0.55f * thick), At(0.2f, 0.48f * thick), At(0.7f, 0.3f * thick), At(1.05f, 0),
                    At(0.7f, -0.12f * thick), At(0.2f, -0.38f * thick), At(-0.5f, -0.5f * thick), At(-1, -0.4f * thick)),
                hair.Fade(0.88f));
        }
    }

    public void Nose()
    {
        float tipY = person.NoseLength, width = person.NoseWidth, bridge = person.NoseBridge, depth = person.NoseDepth, turn = 0.04f * person.NoseTip;
        SKColor dark = skin.Shade(0.62f);
        float lightX = MathF.Cos(scene.LightAngle);
        float shadow = lightX > 0 ? -1 : 1;

        // The side away from the light.
        SKPath side = pen.Closed(
            view.Skin(shadow * bridge * 0.9f, -0.10f, 0.05f), view.Skin(shadow * bridge * 0.5f, 0.25f * tipY, 0.5f * depth),
            view.Skin(shadow * 0.04f, tipY - 0.06f, depth), view.Skin(shadow * width * 0.7f, tipY + 0.07f, 0.25f * depth),
            view.Skin(shadow * (width + 0.02f), tipY, 0.05f), view.Skin(shadow * bridge * 1.5f, 0.5f * tipY, 0));
        pen.Fill(side, dark.Fade(0.16f + (0.22f * scene.LightContrast)));
        pen.Spot(view.Skin(0, 0.45f * tipY, 0.7f * depth), 0.07f + (0.3f * bridge), 0.34f * tipY, skin.Mix(SKColors.White, 0.7f), 0.34f);

        // Wings, nostrils, the line under the tip.
        HeadPoint tip = view.NoseTip;
        foreach (float s in HeadView.Sides)
        {
            pen.Stroke(
                pen.Open(
                    view.Skin(s * width * 0.86f, tipY - 0.10f, 0.12f), view.Skin(s * width, tipY - 0.01f, 0.10f),
                    view.Skin(s * width * 0.82f, tipY + 0.065f, 0.12f)),
                dark.Fade(0.75f), 0.032f);
            HeadPoint n = view.Skin(s * width * 0.48f, tipY + 0.055f - turn, 0.45f * depth);
            pen.Fill(
                pen.Closed(
                    n with { X = n.X - (s * width * 0.22f), Y = n.Y - 0.005f }, n with { Y = n.Y - 0.022f - (0.3f * Math.Max(0, turn)) },
                    n with { X = n.X + (s * width * 0.24f), Y = n.Y + 0.004f }, n with { Y = n.Y + 0.016f }),
                skin.Shade(0.9f).Fade(0.85f));
        }

        pen.Stroke(
            pen.Open(
                view.Skin(-width * 0.5f, tipY + 0.06f, 0.4f * depth), view.Skin(-width * 0.2f, tipY + 0.085f - turn, 0.8f * depth),
                view.Skin(width * 0.2f, tipY + 0.085f - turn, 0.8f * depth), view.Skin(width * 0.5f, tipY + 0.06f, 0.4f * depth)),
            dark.Fade(0.6f), 0.03f);
        pen.Spot(tip with { X = -0.04f * shadow, Y = tip.Y - 0.05f }, 0.09f + (0.2f * width), 0.09f, skin.Mix(SKColors.White, 0.75f), 0.42f);
        pen.Spot(view.Skin(0, tipY + 0.15f), width, 0.09f, dark, 0.25f);
    }

    private void Eye(float side)
    {
        float width = person.EyeWidth, tilt = person.EyeTilt, cx = person.EyeSpacing;
        float squint = 1 - (0.28f * Math.Max(0, scene.Smile)) + (0.15f * Math.Max(0, scene.BrowRaise));
        float open = person.EyeOpening * squint * (1 - scene.EyesClosed);
        HeadPoint At(float t, float up) => view.Skin(side * (cx + (width * t)), (-up) - (tilt * t * 0.7f), 0.01f);
        float peak = 0.25f * person.EyePeak;
        SKColor lash = new SKColor(0xFF1A100E).Mix(skin, 0.1f);
        HeadPoint[] upper = [At(-1, -0.02f), At(-0.5f + (0.4f * peak), 0.78f * open), At(peak, open), At(0.55f + (0.4f * peak), 0.72f * open), At(1, 0)];

        // The fold of the lid, and the lid itself where the eye is closing.
        float fold = open + person.LidFold;
        pen.Stroke(
            pen.Open(At(-0.85f, 0.45f * fold), At(peak - 0.1f, fold), At(0.65f, 0.75f * fold), At(1.05f, 0.35f * fold)),
            skin.Shade(0.6f).Fade(0.6f), 0.026f);
        if (open > 0.012f)
        {
            HeadPoint[] rim = [.. upper, At(0.5f, -0.62f * open), At(-0.05f, -0.85f * open), At(-0.6f, -0.6f * open)];
            pen.Fill(pen.Closed(rim), 0xFFF6F2EE, () => Iris(side, cx));
            pen.Stroke(
                pen.Open(At(0.95f, -0.01f), At(0.5f, -0.64f * open), At(-0.05f, -0.88f * open), At(-0.6f, -0.62f * open)),
                skin.Shade(0.6f).Fade(0.65f), 0.022f);
        }

        // The lashes' line lies over the white.
        pen.Stroke(pen.Open(upper), lash.Fade(0.72f + (0.28f * person.Lashes)), 0.028f + (0.026f * person.Lashes));
        if (person.Lashes > 0.45f)
        {
            float reach = 0.075f * person.Lashes;
            for (int i = 0; i < 4; i++)
            {
                float t = 0.35f + (0.22f * i), height = open * (1 - (0.62f * t * t));
                pen.Stroke(pen.Open(At(t, height), At(t + (0.35f * reach / width), height + reach)), lash.Fade(0.8f), 0.020f);
            }
        }

        // Inner corner.
        pen.Disc(At(-0.96f, -0.015f), 0.018f, new SKColor(0xFFC86E66).Fade(0.7f));
    }

    private void Iris(float side, float cx)
    {
        SKColor color = FacePalette.Iris(person);
        float r = person.IrisSize;
        HeadPoint center = view.Skin((side * cx) + (0.055f * scene.GazeX), (0.025f * scene.GazeY) - 0.008f);
        SKPoint c = view.Project(center);
        float pixels = r * view.Scale;
        SKPath disc = pen.Path(builder => builder.AddCircle(c.X, c.Y, pixels, SKPathDirection.Clockwise));
        pen.FillRadial(disc, c, pixels, color.Mix(SKColors.White, 0.28f), color.Mix(SKColors.Black, 0.42f));
        pen.Disc(center, r * 0.44f, 0xFF0C0908);
        HeadPoint glint = center with { X = center.X - (0.35f * r * -MathF.Cos(scene.LightAngle)), Y = center.Y - (0.38f * r) };
        pen.Disc(glint, r * 0.27f, SKColors.White.Fade(0.92f));

        // The lid's shadow on the eye.
        pen.Spot(view.Skin(side * cx, -person.EyeOpening), person.EyeWidth * 1.1f, person.EyeOpening * 0.9f, 0xFF301818, 0.45f);
    }
}
