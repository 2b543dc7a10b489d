// The gradient behind a scene.

in vec2 v_px;
out vec4 o_colour;

uniform vec2 u_pane;
uniform vec3 u_top;
uniform vec3 u_bottom;

// Breaks up the bands that eight bits would show.
float dither(vec2 at)
{
    return fract(52.9829189 * fract(dot(at, vec2(0.06711056, 0.00583715)))) / 255.0;
}

void main()
{
    o_colour = vec4(mix(u_top, u_bottom, v_px.y / u_pane.y) + dither(v_px) - 0.5 / 255.0, 1.0);
}
