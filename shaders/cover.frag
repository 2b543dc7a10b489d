// Chunks that failed are hatched; chunks that are to come are a plain tone.

in vec2 v_px;
flat in float v_kind;
out vec4 o_colour;

uniform vec4 u_tone;
uniform float u_hatch_px;

void main()
{
    if (v_kind > 0.5) {
        float stripe = fract((v_px.x + v_px.y) / u_hatch_px);
        float line = smoothstep(0.0, 0.12, stripe) - smoothstep(0.18, 0.30, stripe);
        o_colour = vec4(0.85, 0.45, 0.40, 0.15 + 0.45 * line);
    } else {
        o_colour = u_tone;
    }
}
