package deploy_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// The kinds of objects in the manifests, with the fields that they use. Any other field is
// refused. `make test-kubernetes` checks that Kubernetes has these fields.
type (
	Object struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   struct {
			Name   string
			Labels map[string]string
		}
	}
	selector struct {
		MatchLabels map[string]string `yaml:"matchLabels"`
	}
	deployment struct {
		Object `yaml:",inline"`
		Spec   struct {
			Replicas int
			Strategy struct {
				Type          string
				RollingUpdate struct {
					MaxSurge       int `yaml:"maxSurge"`
					MaxUnavailable int `yaml:"maxUnavailable"`
				} `yaml:"rollingUpdate"`
			}
			Selector selector
			Template struct {
				Metadata struct{ Labels map[string]string }
				Spec     podSpec
			}
		}
	}
	podSpec struct {
		ServiceAccountName            string `yaml:"serviceAccountName"`
		AutomountServiceAccountToken  *bool  `yaml:"automountServiceAccountToken"`
		EnableServiceLinks            *bool  `yaml:"enableServiceLinks"`
		TerminationGracePeriodSeconds int    `yaml:"terminationGracePeriodSeconds"`
		TopologySpreadConstraints     []struct {
			MaxSkew           int      `yaml:"maxSkew"`
			TopologyKey       string   `yaml:"topologyKey"`
			WhenUnsatisfiable string   `yaml:"whenUnsatisfiable"`
			LabelSelector     selector `yaml:"labelSelector"`
		} `yaml:"topologySpreadConstraints"`
		SecurityContext struct {
			RunAsNonRoot        bool                  `yaml:"runAsNonRoot"`
			RunAsUser           int                   `yaml:"runAsUser"`
			RunAsGroup          int                   `yaml:"runAsGroup"`
			FSGroup             int                   `yaml:"fsGroup"`
			FSGroupChangePolicy string                `yaml:"fsGroupChangePolicy"`
			SeccompProfile      struct{ Type string } `yaml:"seccompProfile"`
		} `yaml:"securityContext"`
		InitContainers []container `yaml:"initContainers"`
		Containers     []container
		Volumes        []volume
	}
	volume struct {
		Name                  string
		PersistentVolumeClaim struct {
			ClaimName string `yaml:"claimName"`
		} `yaml:"persistentVolumeClaim"`
		Secret struct {
			SecretName  string      `yaml:"secretName"`
			DefaultMode os.FileMode `yaml:"defaultMode"`
		}
	}
	container struct {
		Name, Image string
		Args        []string
		Env         []struct {
			Name, Value string
			ValueFrom   struct {
				FieldRef struct {
					FieldPath string `yaml:"fieldPath"`
				} `yaml:"fieldRef"`
				ConfigMapKeyRef struct{ Name, Key string } `yaml:"configMapKeyRef"`
			} `yaml:"valueFrom"`
		}
		Ports []struct {
			Name          string
			ContainerPort int `yaml:"containerPort"`
		}
		StartupProbe   probe `yaml:"startupProbe"`
		LivenessProbe  probe `yaml:"livenessProbe"`
		ReadinessProbe probe `yaml:"readinessProbe"`
		Lifecycle      struct {
			PreStop struct{ Sleep struct{ Seconds int } } `yaml:"preStop"`
		}
		SecurityContext struct {
			AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
			ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
			Capabilities             struct{ Drop []string }
		} `yaml:"securityContext"`
		Resources    struct{ Requests, Limits map[string]string }
		VolumeMounts []struct {
			Name      string
			MountPath string `yaml:"mountPath"`
			ReadOnly  bool   `yaml:"readOnly"`
		} `yaml:"volumeMounts"`
	}
	probe struct {
		HTTPGet          struct{ Path, Port, Scheme string } `yaml:"httpGet"`
		PeriodSeconds    int                                 `yaml:"periodSeconds"`
		TimeoutSeconds   int                                 `yaml:"timeoutSeconds"`
		FailureThreshold int                                 `yaml:"failureThreshold"`
	}
	servedAs struct {
		Object `yaml:",inline"`
		Spec   struct {
			Type     string
			Selector map[string]string
			Ports    []struct {
				Name       string
				Port       int
				TargetPort string `yaml:"targetPort"`
			}
		}
	}
	serviceAccount struct {
		Object                       `yaml:",inline"`
		AutomountServiceAccountToken *bool `yaml:"automountServiceAccountToken"`
	}
	networkPolicy struct {
		Object `yaml:",inline"`
		Spec   struct {
			PodSelector     selector `yaml:"podSelector"`
			PolicyTypes     []string `yaml:"policyTypes"`
			Ingress, Egress []struct {
				Ports []struct{ Protocol, Port string }
			}
		}
	}
	budget struct {
		Object `yaml:",inline"`
		Spec   struct {
			MaxUnavailable int `yaml:"maxUnavailable"`
			Selector       selector
		}
	}
	claim struct {
		Object `yaml:",inline"`
		Spec   struct {
			AccessModes []string `yaml:"accessModes"`
			Resources   struct{ Requests map[string]string }
		}
	}
	kustomization struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Resources  []string
		Images     []struct {
			Name   string
			NewTag string `yaml:"newTag"`
		}
		ConfigMapGenerator []struct {
			Name     string
			Literals []string
		} `yaml:"configMapGenerator"`
	}
)

// cluster holds the objects of one kustomization.
type cluster struct {
	deployment deployment
	service    servedAs
	account    serviceAccount
	policies   []networkPolicy
	budgets    []budget
	claims     []claim
	settings   map[string]string // of the ConfigMap
	images     []string
	files      []string
}

// readCluster reads a kustomization, with the features that ours use: resources
// and settings.
func readCluster(t *testing.T, folder string) *cluster {
	t.Helper()
	c := &cluster{settings: map[string]string{}}
	c.read(t, folder)
	if c.deployment.Metadata.Name == "" || c.service.Metadata.Name == "" || c.account.Metadata.Name == "" {
		t.Fatalf("%s has no deployment, service or account", folder)
	}
	return c
}

func (c *cluster) read(t *testing.T, folder string) {
	t.Helper()
	var k kustomization
	strictly(t, filepath.Join(folder, "kustomization.yaml"), &k)
	c.files = append(c.files, filepath.Join(folder, "kustomization.yaml"))
	for _, resource := range k.Resources {
		path := filepath.Join(folder, resource)
		if filepath.Ext(path) != ".yaml" {
			c.read(t, path)
			continue
		}
		c.files = append(c.files, path)
		c.add(t, path)
	}
	for _, image := range k.Images {
		c.images = append(c.images, image.Name)
	}
	for _, made := range k.ConfigMapGenerator {
		for _, literal := range made.Literals {
			key, value, _ := strings.Cut(literal, "=")
			c.settings[made.Name+" "+key] = value
		}
	}
}

func (c *cluster) add(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	must(t, err)
	var is Object
	must(t, yaml.Unmarshal(content, &is))
	switch known := is.APIVersion + " " + is.Kind; known {
	case "apps/v1 Deployment":
		strictly(t, path, &c.deployment)
	case "v1 Service":
		strictly(t, path, &c.service)
	case "v1 ServiceAccount":
		strictly(t, path, &c.account)
	case "v1 PersistentVolumeClaim":
		c.claims = append(c.claims, claim{})
		strictly(t, path, &c.claims[len(c.claims)-1])
	case "networking.k8s.io/v1 NetworkPolicy":
		c.policies = append(c.policies, networkPolicy{})
		strictly(t, path, &c.policies[len(c.policies)-1])
	case "policy/v1 PodDisruptionBudget":
		c.budgets = append(c.budgets, budget{})
		strictly(t, path, &c.budgets[len(c.budgets)-1])
	default:
		t.Fatalf("%s is of a kind that is not expected: %s", path, known)
	}
}

// variants are the folders that an operator applies.
var variants = []string{"kubernetes/file", "kubernetes/postgres"}

// TestKubernetesManifests checks that the manifests fit each other and the image, that
// every file is used, and that a pod may do nothing that a gateway does not need.
func TestKubernetesManifests(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, variant := range variants {
		c := readCluster(t, variant)
		for _, file := range c.files {
			used[file] = true
		}
		for _, problem := range slices.Concat(c.references(), c.confined(t), c.ending(t)) {
			t.Errorf("%s: %s", variant, problem)
		}
	}
	there, err := filepath.Glob("kubernetes/*/*.yaml")
	must(t, err)
	for _, file := range there {
		if !used[file] {
			t.Errorf("%s is in no kustomization", file)
		}
	}
	if len(there) < len(used) || len(used) < 10 {
		t.Errorf("%d files are there, and %d were read", len(there), len(used))
	}
}

// references changes names so that they refer to nothing.
func (c *cluster) references() (problems []string) {
	report := func(fine bool, format string, args ...any) {
		if !fine {
			problems = append(problems, fmt.Sprintf(format, args...))
		}
	}
	pod := c.deployment.Spec.Template
	labels := fmt.Sprint(pod.Metadata.Labels)
	report(len(pod.Metadata.Labels) == 1, "pods have the labels %s", labels)
	for of, selects := range map[string]map[string]string{"deployment": c.deployment.Spec.Selector.MatchLabels, "service": c.service.Spec.Selector} {
		report(fmt.Sprint(selects) == labels, "%s selects %v, and pods have %s", of, selects, labels)
	}
	for _, p := range c.policies {
		report(fmt.Sprint(p.Spec.PodSelector.MatchLabels) == labels, "policy %s is for %v", p.Metadata.Name, p.Spec.PodSelector)
	}
	for _, b := range c.budgets {
		report(fmt.Sprint(b.Spec.Selector.MatchLabels) == labels && b.Spec.MaxUnavailable < c.deployment.Spec.Replicas, "budget %s leaves no gateway, or is for others", b.Metadata.Name)
	}
	for _, s := range pod.Spec.TopologySpreadConstraints {
		report(fmt.Sprint(s.LabelSelector.MatchLabels) == labels, "what is spread is not the pods: %v", s.LabelSelector)
	}
	report(pod.Spec.ServiceAccountName == c.account.Metadata.Name, "account %s is not there", pod.Spec.ServiceAccountName)
	volumes := map[string]bool{}
	for _, v := range pod.Spec.Volumes {
		volumes[v.Name] = true
		if name := v.PersistentVolumeClaim.ClaimName; name != "" {
			report(len(c.claims) == 1 && c.claims[0].Metadata.Name == name, "claim %s is not there", name)
		}
	}
	for _, each := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		report(slices.Equal(c.images, []string{each.Image}), "image %s of %s cannot be set: %v can", each.Image, each.Name, c.images)
		for _, m := range each.VolumeMounts {
			report(volumes[m.Name], "volume %s is not there", m.Name)
		}
		for _, e := range each.Env {
			from := e.ValueFrom.ConfigMapKeyRef
			report(from.Name == "" || c.settings[from.Name+" "+from.Key] != "", "setting %s is not there", from)
		}
	}
	return problems
}

// confined adds permissions that a gateway does not need.
func (c *cluster) confined(t *testing.T) (problems []string) {
	report := func(fine bool, format string, args ...any) {
		if !fine {
			problems = append(problems, fmt.Sprintf(format, args...))
		}
	}
	text, state := imageUser(t)
	user, err := strconv.Atoi(text)
	must(t, err)
	no := func(b *bool) bool { return b != nil && !*b }
	pod := c.deployment.Spec.Template.Spec
	context := pod.SecurityContext
	report(context.RunAsNonRoot && context.RunAsUser == user && context.RunAsGroup == user && context.FSGroup == user, "pods run as %+v, the image's user is %d", context, user)
	report(context.SeccompProfile.Type == "RuntimeDefault", "the system calls are not limited")
	report(no(pod.AutomountServiceAccountToken) && no(c.account.AutomountServiceAccountToken), "pods get a token of the cluster")
	report(no(pod.EnableServiceLinks), "pods get variables BRIDGE_… that are not settings")
	for _, each := range slices.Concat(pod.InitContainers, pod.Containers) {
		s := each.SecurityContext
		report(no(s.AllowPrivilegeEscalation) && s.ReadOnlyRootFilesystem && slices.Equal(s.Capabilities.Drop, []string{"ALL"}), "%s may do more than it must", each.Name)
		report(each.Resources.Limits["memory"] != "" && each.Resources.Requests["cpu"] != "", "%s has no limits", each.Name)
		for _, m := range each.VolumeMounts {
			report(m.ReadOnly || m.MountPath == state, "%s may write to %s", each.Name, m.MountPath)
		}
	}
	for _, v := range pod.Volumes {
		if v.PersistentVolumeClaim.ClaimName != "" {
			report(context.FSGroupChangePolicy == "OnRootMismatch", "each start lets the group change the store")
		} else {
			report(v.Secret.DefaultMode == 0o440, "secret %s has mode %o", v.Secret.SecretName, v.Secret.DefaultMode)
		}
	}
	closed := 0
	for _, p := range c.policies {
		closed += len(p.Spec.PolicyTypes)
	}
	report(closed >= 2, "traffic is limited in %d directions", closed)
	return problems
}

// ending changes how a gateway is replaced so that calls are lost.
func (c *cluster) ending(t *testing.T) (problems []string) {
	report := func(fine bool, format string, args ...any) {
		if !fine {
			problems = append(problems, fmt.Sprintf(format, args...))
		}
	}
	source, err := os.ReadFile("../internal/gateway/gateway.go")
	must(t, err)
	found := regexp.MustCompile(`(?m)^const drainGrace = (\d+) \* time.Second$`).FindSubmatch(source)
	if found == nil {
		t.Fatal("the gateway's drainGrace was not found")
	}
	drain, err := strconv.Atoi(string(found[1]))
	must(t, err)
	spec := c.deployment.Spec
	g := spec.Template.Spec.Containers[0]
	sleep := g.Lifecycle.PreStop.Sleep.Seconds
	// After that, the store is closed.
	if grace := spec.Template.Spec.TerminationGracePeriodSeconds; grace < sleep+drain+10 {
		report(false, "a gateway has %d seconds to end, and needs %d and %d and some", grace, sleep, drain)
	}
	for _, p := range []probe{g.StartupProbe, g.LivenessProbe, g.ReadinessProbe} {
		report(len(g.Ports) == 1 && p.HTTPGet.Port == g.Ports[0].Name && p.HTTPGet.Scheme == "HTTPS" && p.PeriodSeconds > 0, "a probe asks %+v", p)
	}
	ports := c.service.Spec.Ports
	report(len(ports) == 1 && ports[0].TargetPort == g.Ports[0].Name && g.Ports[0].ContainerPort == listens(t, g.Args), "the service leads to %v", ports)
	if len(c.claims) > 0 { // which is available on one node only
		report(spec.Replicas == 1 && spec.Strategy.Type == "Recreate", "two gateways may want the disk")
		return problems
	}
	rolling := spec.Strategy.RollingUpdate
	report(spec.Replicas > 1 && spec.Strategy.Type == "RollingUpdate" && rolling.MaxUnavailable == 0 && rolling.MaxSurge > 0, "an update ends a gateway before the next is ready")
	report(sleep > g.ReadinessProbe.PeriodSeconds, "a gateway ends before the cluster knows")
	report(len(c.budgets) == 1, "all nodes may be drained at once")
	return problems
}

// TestStrictManifests checks that an unknown field is refused, so that the tests above
// cannot ignore one.
func TestStrictManifests(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("kubernetes/file/deployment.yaml")
	must(t, err)
	for _, change := range [][2]string{{"fsGroupChangePolicy:", "fsGroupChangePolice:"}, {"failureThreshold:", "failuresAllowed:"}} {
		var d deployment
		spoiled := bytes.Replace(content, []byte(change[0]), []byte(change[1]), 1)
		if err := yaml.UnmarshalWithOptions(spoiled, &d, yaml.Strict()); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s was accepted", change[1])
		}
	}
}
